"""The HTML of the report's page, as a template. (A module, so that a change in it is a change in the code of the stage.)"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ document.title }}</title>
<style>
:root { --ground: #fbfbf9; --card: #ffffff; --ink: #1d1f21; --soft: #5b6066; --line: #dddfe2; --accent: #0072b2; --band: #f4f5f6; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181b; --card: #1e2124; --ink: #e6e6e3; --soft: #a3a9b0; --line: #363b41; --accent: #6cb8e6; --band: #24282c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1.2rem; letter-spacing: -0.01em; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 0.6rem; padding-top: 0.9rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: 0.6rem 0 1rem; }
.findings { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px; }
.findings { padding: 0.9rem 1.3rem; }
.findings ul { margin: 0; padding-left: 1.1rem; }
.findings li { margin: 0.35rem 0; }
nav { margin: 1.2rem 0 0; color: var(--soft); font-size: 0.95rem; }
nav a { color: var(--accent); text-decoration: none; margin-right: 1.2rem; }
nav a:hover, nav a:focus { text-decoration: underline; }
figure { margin: 1.4rem 0 1.8rem; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; padding: 10px; }
figure img { border: 1px solid var(--line); border-radius: 6px; }
figcaption { color: var(--soft); font-size: 0.9rem; margin-top: 0.5rem; max-width: 52rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--soft); vertical-align: bottom; border-bottom: 1px solid var(--line); }
th, td { padding: 0.42rem 0.6rem; }
td { text-align: right; white-space: nowrap; }
th.words, td.words { text-align: left; }
td.words { white-space: normal; overflow-wrap: break-word; }
details { margin: 0.5rem 0; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
summary { padding: 0.45rem 0.8rem; cursor: pointer; font-size: 0.92rem; }
pre { margin: 0; padding: 0.8rem; overflow-x: auto; border-top: 1px solid var(--line); font: 0.82rem/1.45 ui-monospace, monospace; }
tbody tr:nth-child(even) { background: var(--band); }
/* where a table has no room, its rows become cards, each cell beside the name of its column */
@media (max-width: 46rem) {
  main { padding: 1.2rem 0.9rem 3rem; }
  thead { display: none; }
  table, tbody, tr { display: block; }
  tr { padding: 0.5rem 0.8rem; }
  td, td.words { display: flex; justify-content: space-between; gap: 1rem; padding: 0.12rem 0; text-align: right; }
  td, td.words { white-space: normal; overflow-wrap: anywhere; }
  td::before { content: attr(data-column); flex: none; max-width: 45%; color: var(--soft); text-align: left; overflow-wrap: anywhere; }
  td:first-child { font-weight: 600; }
}
</style>
</head>
<body>
<main>
<h1>{{ document.title }}</h1>
<div class="findings"><ul>
{% for finding in document.findings %}
<li>{{ finding }}</li>
{% endfor %}
</ul></div>
<nav aria-label="Sections">
{% for section in document.sections %}
<a href="#section-{{ loop.index }}">{{ section.title }}</a>
{% endfor %}
</nav>
{% for section in document.sections %}
<section id="section-{{ loop.index }}">
<h2>{{ section.title }}</h2>
{% for paragraph in section.paragraphs %}
<p>{{ paragraph }}</p>
{% endfor %}
{% for block in section.blocks %}
{% if block is listing %}
<details><summary>{{ block.title }}</summary><pre><code>{{ block.code }}</code></pre></details>
{% else %}
<figure>
{% if block is figure %}
<img src="{{ inline(block) }}" alt="{{ block.description }}">
{% else %}
<div class="scroll" tabindex="0"><table>
<thead><tr>
{% for column in block.columns %}
<th scope="col"{% if loop.index <= block.text_columns %} class="words"{% endif %}>{{ column }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in block.rows %}
<tr>
{% for cell in row %}
<td data-column="{{ block.columns[loop.index0] }}"{% if loop.index <= block.text_columns %} class="words"{% endif %}>{{ cell }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table></div>
{% endif %}
{% if block.caption %}
<figcaption>{{ block.caption }}</figcaption>
{% endif %}
</figure>
{% endif %}
{% endfor %}
</section>
{% endfor %}
</main>
</body>
</html>
"""
