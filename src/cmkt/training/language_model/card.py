"""The model card of a pair of language models, from the report of their training."""

from __future__ import annotations

from typing import Any


def model_card(report: dict[str, Any]) -> str:
    """Markdown: what the models are, how well they know held-out text beside counts, which words they think alike."""
    settings, text = report["settings"], report["text"]
    files = ", ".join(f"`{name}`" for name in text["files"])
    lines = [
        "# A pair of character language models",
        "",
        f"`decoder` (LLaMA, causal) and `encoder` (EuroBERT, bidirectional): {report['parameters']:,} parameters each, "
        f"{settings['layers']} layers of width {settings['width']}, {report['characters']:,} characters, at most "
        f"{settings['max_tokens'] - 2} characters of text. Half precision.",
        "",
        f"Trained by `cmkt train-lm` on {text['lines']:,} lines, {text['tokens']:,} tokens, of {files}: the decoder "
        f"for {settings['decoder_epochs']:g} epochs, then, from its weights, the encoder for "
        f"{settings['encoder_epochs']:g}. Half of the lines have no punctuation, as transcripts.",
        "",
        f"On {text['held_out_lines']:,} held-out lines, beside a character trigram of the same text (modified "
        "Kneser-Ney; for masks it sees two characters on either side):",
        "",
        "| | trigram | model |",
        "|---|---|---|",
        *(
            f"| {name} | {_score(name, value)} | {_score(name, report['models'][name])} |"
            for name, value in report["trigram"].items()
        ),
        "",
        "Perplexity is the decoder's, lower is better; masked accuracy the encoder's, higher is better.",
        "",
        "Nearest neighbours in the encoder:",
        "",
        *(f"- {word}: {', '.join(found)}" for word, found in report["neighbours"].items()),
        "",
    ]
    return "\n".join(lines)


def _score(name: str, value: float) -> str:
    return f"{value:.2f}" if name.startswith("perplexity") else f"{value:.1%}"
