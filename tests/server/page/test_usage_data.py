"""Uploading usage data: progress, rows that are wrong, and tables that nobody knows."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

GOOD = "time,model,input_tokens,output_tokens\n2026-10-02T10:00:00Z,gpt-4o,100,20\n2026-10-03T10:00:00Z,gpt-4o,300,50\n"
BAD = GOOD + "2026-10-04T10:00:00Z,gpt-4o,many,20\n2026-10-05T10:00:00Z,,1,2\n"
UNKNOWN = 'TIMESTAMP,Context "Tokens",GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n'


def file(name: str, text: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


async def upload(visitor, name: str, text: str):
    if not await visitor.page.locator("#data-dialog").is_visible():
        await visitor.page.keyboard.press("Alt+U")
    await visitor.page.locator("#file").set_input_files(file(name, text))
    return visitor.page.get_by_role("dialog", name="Usage data")


async def test_a_good_file_is_imported_and_can_be_removed_again(visit, shipped):
    visitor = await visit(shipped)
    dialog = await upload(visitor, "good.csv", GOOD)
    await expect(dialog.get_by_text("2 rows imported.")).to_be_visible(timeout=15_000)
    await dialog.get_by_role("button", name="Remove good.csv").click()
    await visitor.page.get_by_role("dialog", name="Remove this import?").get_by_role("button", name="Remove").click()
    await expect(dialog.get_by_role("button", name="Remove good.csv")).to_have_count(0)
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.page.get_by_role("button", name="Upload a usage file")).to_be_visible()


async def test_wrong_rows_are_listed_and_nothing_is_imported_until_they_are_left_out(visit, shipped):
    visitor = await visit(shipped)
    dialog = await upload(visitor, "bad.csv", BAD)
    await expect(dialog.get_by_role("alert")).to_contain_text("Nothing was imported.")
    rows = dialog.get_by_role("table").get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("4input_tokens")
    await expect(rows.nth(2)).to_contain_text("5model")
    await dialog.get_by_role("button", name="Import without them").click()
    await expect(dialog.get_by_text("2 rows imported. 2 rows could not be read.")).to_be_visible(timeout=15_000)


async def test_unknown_columns_are_mapped_with_a_constant_for_what_is_missing(visit, shipped):
    visitor = await visit(shipped)
    dialog = await upload(visitor, "trace.csv", UNKNOWN)
    await expect(dialog.get_by_text("This file is of no known kind.")).to_be_visible(timeout=15_000)
    await expect(dialog.get_by_label("Time needed")).to_have_value("0")
    await expect(dialog.get_by_label("Input tokens needed")).to_have_value("1")
    await dialog.get_by_label("Model of every row").fill("gpt-4o")
    await dialog.get_by_role("button", name="Import with these columns").click()
    await expect(dialog.get_by_text("1 row imported.")).to_be_visible(timeout=15_000)


async def test_of_very_many_columns_the_first_are_offered_and_it_is_said(visit, shipped):
    visitor = await visit(shipped)
    header = ",".join(f"column {number}" for number in range(150))
    dialog = await upload(visitor, "wide.csv", f"{header}\n")
    await expect(dialog.get_by_text("Its first 100 columns are listed.")).to_be_visible(timeout=15_000)
    # One more says "Choose", and one more is for a constant.
    await expect(dialog.get_by_label("Time needed").locator("option")).to_have_count(102)


async def test_a_file_dropped_on_the_page_is_uploaded(visit, shipped):
    visitor = await visit(shipped)
    await visitor.page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
          for (const type of ["dragenter", "dragover", "drop"]) {
            document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }""",
        GOOD,
    )
    dialog = visitor.page.get_by_role("dialog", name="Usage data")
    await expect(dialog.get_by_text("2 rows imported.")).to_be_visible(timeout=15_000)
    await expect(visitor.page.locator("#drop")).to_be_hidden()


async def test_an_import_goes_on_in_the_tray_when_the_dialog_is_closed(visit, shipped):
    visitor = await visit(shipped)
    await upload(visitor, "large.csv", GOOD + "2026-10-03T10:00:00Z,gpt-4o,300,50\n" * 100_000)
    await visitor.page.keyboard.press("Escape")
    tray = visitor.page.locator("#tray")
    await expect(tray).to_contain_text("large.csv")
    await expect(tray).to_contain_text("100,002 rows imported", timeout=40_000)


async def test_an_import_is_not_a_thread(visit, shipped):
    visitor = await visit(shipped)
    dialog = await upload(visitor, "good.csv", GOOD)
    await expect(dialog.get_by_text("2 rows imported.")).to_be_visible(timeout=15_000)
    assert await visitor.page.locator("article.run").count() == 0
    assert await visitor.page.locator(".thread").count() == 0
