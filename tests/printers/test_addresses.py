"""Where a printer may live."""

import pytest

from fablab.printers import PRIVATE_NETWORKS, NotSent
from fablab.printers.addresses import BadAddress, check_address


@pytest.mark.parametrize(
    ("address", "base", "prefix", "host"),
    [
        ("http://192.168.1.20", "http://192.168.1.20:80", "", "192.168.1.20"),
        ("http://10.0.0.5:5000/octo/", "http://10.0.0.5:5000", "/octo", "10.0.0.5:5000"),
        ("https://172.16.0.9", "https://172.16.0.9:443", "", "172.16.0.9"),
        ("http://localhost:5001", "http://127.0.0.1:5001", "", "localhost:5001"),
        ("http://[::1]:5000", "http://[::1]:5000", "", "[::1]:5000"),
    ],
)
def test_a_printers_address_is_connected_by_the_number_that_was_checked(address, base, prefix, host):
    target = check_address(address, PRIVATE_NETWORKS)
    assert (target.base_url.replace("[::1]", "[::1]"), target.prefix, target.host_header) in {
        (base, prefix, host),
        (base.replace("127.0.0.1", "[::1]"), prefix, host),
    }


@pytest.mark.parametrize(
    "address",
    [
        "ftp://192.168.1.20",
        "file:///etc/passwd",
        "192.168.1.20",
        "http://",
        "http://user:word@192.168.1.20",
        "http://192.168.1.20/?next=x",
        "http://192.168.1.20/#x",
        "http://192.168.1.20:99999",
        "http://169.254.169.254/latest",
        "http://[::ffff:127.0.0.1]",
        "http://224.0.0.1",
        "http://0.0.0.0",
        "http://8.8.8.8",
        "http://[fe80::1]",
    ],
)
def test_no_printer_lives_there(address):
    with pytest.raises(BadAddress):
        check_address(address, PRIVATE_NETWORKS)


def test_an_unknown_name_is_not_found():
    with pytest.raises(NotSent, match="no machine called"):
        check_address("http://no-such-printer.invalid", PRIVATE_NETWORKS)
