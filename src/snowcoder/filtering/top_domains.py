"""Top-level domains of mail addresses: countries, and the generic ones in use (https://data.iana.org/TLD/tlds-alpha-by-domain.txt).

Left out are those that are rather a file's ending or an attribute in code: `.py`, `.so`, `.ps`, `.zip`, `.mov`, `.data`, `.map`, `.prod`.
"""

_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co
cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn
hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml
mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr pt pw qa re ro rs ru rw sa sb
sc sd se sg sh si sk sl sm sn sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu
wf ws ye yt za zm zw
"""
_GENERIC = """
academy aero agency app art asia berlin best bio biz blog cat center chat church city click cloud club codes coffee com company
computer coop dev digital download edu education email energy engineer engineering events expert family fans farm finance fit
foundation fun fyi games global gmbh gov green group guru health help host hosting house info ink institute int international jobs
land law legal life link live lol london love ltd management marketing media mil mobi moe money museum name net network news ngo
ninja nyc one ong online org page paris partners party photo photography pics press pro pub racing red rocks run sbs school
science services sexy shop site social software solutions space store studio support systems team tech technology tel tips today
tokyo tools top town travel university vip web website wiki win work works world wtf xxx xyz zone
"""
TOP_DOMAINS = frozenset((_COUNTRIES + _GENERIC).split())
