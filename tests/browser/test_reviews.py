"""A request over the review desk in Chromium: a phone in French asks, a desktop answers by keyboard, and they write."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.samples import write_samples
from tests.browser import axe
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


def looks_well(page):
    assert axe.problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def catch_first_orders(carole, *, caught=True):
    carole.goto("/review/rules")
    carole.get_by_label("Première commande d’une personne").set_checked(caught)
    carole.get_by_label(re.compile("sans la confirmation")).set_checked(caught)
    looks_well(carole)
    carole.get_by_role("button", name="Enregistrer").click()
    carole.wait_for_url("**/setup/")


def send_for_the_first_time(gaelle, part):
    gaelle.set_input_files("#file", part)
    gaelle.wait_for_url(re.compile("/orders/.+"))
    expect(gaelle.locator("#price")).to_contain_text("Il n’a pas été confirmé")
    gaelle.get_by_label(re.compile("Cette pièce est autorisée")).check()
    expect(gaelle.locator("#price")).not_to_contain_text("Il n’a pas été confirmé")
    expect(gaelle.locator("#price")).to_contain_text("C’est la première commande de cette personne.")
    looks_well(gaelle)
    gaelle.get_by_role("button", name=re.compile("Confirmer pour")).click()
    expect(gaelle.locator("#progress")).to_contain_text("rien n’est réservé ni fabriqué")
    gaelle.get_by_label("Votre message").fill("Est-ce possible pour vendredi ?")
    gaelle.get_by_role("button", name="Envoyer").click()
    expect(gaelle.locator("#messages")).to_contain_text("pour vendredi")
    looks_well(gaelle)
    return gaelle.url


def test_a_request_is_sent_back_changed_accepted_and_talked_about(chromium, demo, tmp_path):
    part = write_samples(tmp_path)[0].rename(tmp_path / "piece.stl")
    carole = open_page(chromium, demo, "carole", language="fr", phone=True)
    catch_first_orders(carole)

    gaelle = open_page(chromium, demo, "gaelle", language="fr", phone=True)
    order = send_for_the_first_time(gaelle, part)

    bob = open_page(chromium, demo, "bob")
    bob.goto("/review/")
    request = bob.locator(".request", has_text="Gaëlle Le Goff")
    expect(request).to_be_visible()
    expect(bob.locator(".top nav")).to_contain_text(re.compile(r"Requests\s*3"))  # two were there before
    request.get_by_role("button", name="Decline").focus()
    bob.keyboard.press("Enter")
    expect(request.locator(".error")).to_contain_text("Please write what is to be changed")
    looks_well(bob)
    request.locator("textarea").focus()
    bob.keyboard.type("Please take 30 % infill.")
    bob.keyboard.press("Tab")
    bob.keyboard.press("Tab")
    bob.keyboard.press("Enter")
    expect(request).to_have_count(0)

    expect(gaelle.locator("#progress")).to_contain_text("Une modification vous est demandée")
    gaelle.get_by_role("link", name="La modifier et la renvoyer").click()
    expect(gaelle.locator("main")).to_contain_text("Please take 30 % infill.")
    gaelle.select_option("#infill", "30")
    expect(gaelle.locator("#price")).not_to_have_attribute("aria-busy", "true")
    gaelle.get_by_role("button", name=re.compile("Confirmer pour")).click()
    expect(gaelle.locator("#progress")).to_contain_text("Quelqu’un la relit d’abord")

    bob.goto(order)
    bob.get_by_label("Your message").fill("Yes, on Friday.")
    bob.get_by_role("button", name="Send").click()
    expect(gaelle.locator("#messages")).to_contain_text("Yes, on Friday.")
    bob.goto("/review/")
    request.get_by_role("button", name="Accept").click()
    expect(request).to_have_count(0)
    now = gaelle.locator(".timeline [aria-current=step] > p:first-child strong")
    expect(now).to_have_text(re.compile("Confirmée|En fabrication"))
    catch_first_orders(carole, caught=False)  # the other tests of this demo are not looked at
    assert [error for error in gaelle.errors + bob.errors if "422" not in error] == []


def test_help_is_asked_for_without_javascript(chromium, demo):
    alice = open_page(chromium, demo, "alice", phone=True, javascript=False)
    alice.get_by_role("link", name="I need help with a design").click()
    alice.get_by_label("What is it about?").fill("A knob for an old oven")
    alice.get_by_label("Tell us about it").fill("It is 4 cm wide.")
    alice.get_by_role("button", name="Ask the volunteers").click()
    expect(alice.locator("#messages")).to_contain_text("It is 4 cm wide.")

    bob = open_page(chromium, demo, "bob", language="fr", phone=True)
    bob.goto("/messages/")
    looks_well(bob)
    bob.get_by_role("link", name="A knob for an old oven").click()
    expect(bob.locator("#messages")).to_contain_text("It is 4 cm wide.")
    looks_well(bob)
    bob.get_by_label("Votre message").fill("Venez samedi.")
    bob.get_by_role("button", name="Envoyer").click()
    expect(bob.locator("#messages")).to_contain_text("Venez samedi.")
    alice.goto("/messages/")
    expect(alice.locator("#talks .badge")).to_contain_text("1")
