"""`backlight health`: what is wrong with a network, if anything, and what helps."""

from backlight.cli.explaining import At, Html, Json, RunFolder, check_page, open_at, show, training_examples


def health(run: RunFolder, at: At = "best", html: Html = None, json: Json = False) -> None:
    """Examine the network of RUN: dead and saturated units, vanishing gradients, noise, disagreement."""
    from backlight.explanation import health as examined

    check_page(html)
    moment = open_at(run, at)
    x, y, _ = training_examples(moment)
    show(examined(moment, x, y), html=html, json=json)
