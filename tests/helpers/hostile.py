"""Texts that mean something to a program between a title and its reader, and a check that none takes them up."""

from docutils import nodes
from docutils.core import publish_doctree

from apr.basics.escaping import plain

TEXTS = [
    r"$x$ costs $5, \frac{1}{2} of $\alpha_{1}^{2}$, a_{b}^c % \n \textbf{d} \ ",
    "{0} {wildcards.x} {task} {{ 7 * 7 }} {% raw %} %s %(x)d",
    "<b>bold</b> & &amp; <!-- <script>window.ran = 1</script> </script><img src=x onerror=alert(1)>",
    "x\n\n.. raw:: html\n\n   <script>window.ran = 2</script>\n",
    ".. include:: /etc/hostname "
    "![i](http://example.invalid/a.png) [t](javascript:alert(1)) http://example.invalid/ a@b.cc",
    "_begins | a | **b** `c`_ |d| __ e_ [1]_ :math:`x` ``f`` ~g~ #1",
    "- 1. (A) emoji 😀 👩‍🔬, עברית العربية, "
    "\u202egnp.exe\u202c \u2066x\u2069 \x1b[31mred\x1b[0m \x00 \ud800 \u2028end\t\r\v*",
    "long " + "word " * 40 + "x" * 120,
]
TREE = (nodes.document, nodes.paragraph, nodes.bullet_list, nodes.list_item, nodes.Text)


def letters(text):
    """What a reader sees but for blanks, which wrapping moves."""
    return "".join(plain(text).split())


def rendered(source, allowed=TREE):
    """What docutils makes of it, as text; there have to be paragraphs and lists, and nothing else."""
    tree = publish_doctree(source, settings_overrides={"line_length_limit": 10**7})
    found = [node for node in tree.findall() if not isinstance(node, allowed)]
    assert not found, found[0].pformat()
    return tree.astext()
