"""Patterns of the keys that services issue, where detect-secrets has none or an older one.

Sources: the services' documentation, GitHub's list of secret scanning patterns, and the rules of gitleaks (MIT).
KEY_PATTERNS hold (a string in lower case that a text must hold to be asked, pattern); where a pattern has a group, the group is the secret,
else all of the match. What is around a match, and whether it is a placeholder, is for snowcoder.filtering.secrets to see.
"""

import re

_MIXED = r"(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)"
_FORMS: tuple[tuple[str, str], ...] = (
    ("sk-", rf"(?<![\w-])sk-{_MIXED}[A-Za-z0-9_-]{{20,}}"),  # OpenAI (also proj, svcacct, admin), Anthropic, Langfuse
    ("sk-", r"(?<![\w-])sk-(?:[a-z0-9]{1,12}-){0,2}[a-f0-9]{32,}"),  # OpenRouter, DeepSeek
    ("aiza", r"AIza[A-Za-z0-9_-]{35}"),  # Google API
    ("gocspx-", r"GOCSPX-[A-Za-z0-9_-]{28}"),  # Google OAuth client
    ("ya29.", r"ya29\.[A-Za-z0-9_-]{20,}"),  # Google OAuth access
    ("github_pat_", r"github_pat_[A-Za-z0-9_]{40,}"),
    ("glpat-", r"glpat-[A-Za-z0-9_-]{20,100}\.[a-z0-9]{2}\.[a-z0-9]{7,9}"),  # GitLab, routable
    ("xox", r"xox[abcdeoprs]-[A-Za-z0-9%-]{16,}"),  # Slack
    ("xoxe.xox", r"xoxe\.xox[bp]-\d-[A-Za-z0-9]{100,}"),
    ("xapp-", r"xapp-\d-[A-Za-z0-9-]{20,}"),
    ("/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/([A-Za-z0-9_-]{60,})"),
    ("hf_", r"hf_[A-Za-z0-9]{34,}"),  # Hugging Face
    ("api_org_", r"api_org_[A-Za-z0-9]{34,}"),
    ("access", r"(?i:secret_?access_?key)[\"']?\s*(?:=>?|:|,|\s)\s*[\"']?([A-Za-z0-9/+]{40})"),  # AWS, also without quotes
    ("secret_key", r"\bSECRET_KEY[\"']?\s*[=:,]\s*[rbu]?[\"']((?:django-insecure-)?[a-z0-9!@#$%^&*()_=+-]{50})[\"']"),  # Django
    ("whsec_", r"whsec_[A-Za-z0-9+/]{32,}=*"),  # Stripe, webhooks
    ("npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi-age", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("eyj", r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),  # JWT, signed
    ("eyj", r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]*\.[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),  # JWT, encrypted
    ("sharedaccesskey", r"(?i:SharedAccessKey)=([A-Za-z0-9+/]{43}=)"),  # Azure
    ("q~", r"[A-Za-z0-9_.~-]{3}\dQ~[A-Za-z0-9_.~-]{31,34}"),  # Azure AD
    ("sig=", r"[?&]sig=([A-Za-z0-9%+/]{40,200}(?:%3D|=))"),  # Azure, shared access signature
    ("_v1_", r"do[opr]_v1_[a-f0-9]{64}"),  # DigitalOcean
    ("dapi", r"dapi[a-f0-9]{32}(?:-\d)?"),  # Databricks
    ("key-", r"(?<!-)key-[a-f0-9]{32}"),  # Mailgun
    ("xkeysib-", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),  # Brevo
    ("sq0atp-", r"sq0atp-[A-Za-z0-9_-]{22}"),  # Square
    ("shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),  # Shopify
    ("glsa_", r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}"),  # Grafana
    ("lin_api_", r"lin_api_[A-Za-z0-9]{40}"),  # Linear
    ("ntn_", r"ntn_[A-Za-z0-9]{40,}"),  # Notion
    ("secret_", r"secret_[A-Za-z0-9]{43}"),
    ("pmak-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),  # Postman
    ("pul-", r"pul-[a-f0-9]{40}"),  # Pulumi
    ("dp.", r"dp\.(?:pt|st|ct|sa)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),  # Doppler
    ("hvs.", r"hvs\.[A-Za-z0-9_-]{24,}"),  # Vault
    (".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"),  # Terraform Cloud
    ("tt3", r"AT(?:ATT|CTT)3[A-Za-z0-9_=-]{50,}"),  # Atlassian
    ("dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),  # Docker
    ("hrku-", r"HRKU-[A-Za-z0-9_-]{36,}"),  # Heroku
    ("r8_", r"r8_[A-Za-z0-9]{37}"),  # Replicate
    ("gsk_", r"gsk_[A-Za-z0-9]{40,}"),  # Groq
    ("pplx-", r"pplx-[A-Za-z0-9]{40,}"),  # Perplexity
    ("xai-", r"xai-[A-Za-z0-9]{70,}"),
    ("nvapi-", r"nvapi-[A-Za-z0-9_-]{60,}"),
    ("tvly-", r"tvly-[A-Za-z0-9-]{32,}"),  # Tavily
    ("lsv2_", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),  # LangSmith
    ("pcsk_", r"pcsk_[A-Za-z0-9_]{40,}"),  # Pinecone
    ("sntry", r"sntry[su]_[A-Za-z0-9+/=_-]{60,}"),  # Sentry
    ("sbp_", r"sbp_[a-f0-9]{40}"),  # Supabase
    ("rubygems_", r"rubygems_[a-f0-9]{48}"),
    ("nrak-", r"NRAK-[A-Z0-9]{27}"),  # New Relic
    ("sl.", r"sl\.[A-Za-z0-9_-]{100,}"),  # Dropbox
    ("pat", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),  # Airtable
    ("figd_", r"figd_[A-Za-z0-9_-]{40,}"),  # Figma
    ("pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}"),  # PlanetScale
    ("age-secret-key-1", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("ltai", r"LTAI[A-Za-z0-9]{12,24}"),  # Alibaba Cloud
    ("eaac", r"EAACEdEose0cBA[A-Za-z0-9]{20,}"),  # Facebook
)
KEY_PATTERNS = tuple((needle, re.compile(pattern)) for needle, pattern in _FORMS)
