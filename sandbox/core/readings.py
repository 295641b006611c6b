"""Which way each open question of the reference is read.

The questions, their evidence, defaults and alternatives are rows of ``contract/readings.yaml``; this is the value the
core is handed. Every field is looked at in exactly one function of the project.
"""

from typing import NamedTuple


class Readings(NamedTuple):
    """One choice for each open question, spelled as in ``contract/readings.yaml``; there are no defaults here."""

    # Reading the request
    double_encoding: str
    json_percent: str
    json_arrays: str
    empty_optional: str
    multipart_percent: str
    # Checks
    destination_plus: str
    destination_spaces: str
    validity_error: str
    # Encoding, UDH, length
    latin1_transport: str
    latin1_overflow: str
    binary_payload: str
    udh_form: str
    flash_room: str
    # Times
    timezone: str
    # Answers
    error_http_status: str
    json_post_default: str
    errors: str
    error_code: str
    # Delivery reports
    dlr_format: str
    dlr_statuses: str
    dlr_status_case: str
    dlr_error_code: str
