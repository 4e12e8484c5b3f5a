"""The generated reference is complete and well-formed."""

from __future__ import annotations

from tympan.wire.v3 import reference
from tympan.wire.v3.messages import CLIENT_TYPES, RESUME_CLIENT_TYPES, RESUME_SERVER_TYPES, SERVER_TYPES
from tympan.wire.v3.parameters import PARAMETERS


def test_every_parameter_older_name_and_message_is_in_the_reference():
    page = reference.render()
    for name in (name for parameter in PARAMETERS for name in parameter.names):
        assert f"`{name}`" in page
    for name in (*CLIENT_TYPES, *SERVER_TYPES):
        assert f"\n### {name}\n" in page


def test_the_resume_extension_has_a_section_of_its_own():
    before, section = reference.render().split("\n## Resuming\n")
    section = section.split("\n## ")[0]
    for name in (*RESUME_CLIENT_TYPES, *RESUME_SERVER_TYPES):
        assert f"\n### {name} (" in section
        assert f"### {name}" not in before


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    widths = [line.count("|") for line in reference.render().splitlines() if line.startswith("|")]
    assert set(widths) == {3 + 1, 4 + 1, 5 + 1, 6 + 1, 2 + 1}


def test_no_name_is_given_to_two_parameters():
    names = [name for parameter in PARAMETERS for name in parameter.names]
    assert len(names) == len(set(names))
