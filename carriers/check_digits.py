"""Check digits of parcel numbers. Each takes the whole number, the check digit last."""

from operator import mul
from typing import Final

_S10: Final = (8, 6, 4, 2, 3, 5, 9, 7)
# Each digit as the last digit of twice itself plus its carry: 5 is 10 is 1.
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_UPS_LETTERS: Final = {ord(c): str((ord(c) - 63) % 10) for c in _ALPHABET[10:]}


def gs1(number: str) -> bool:
    """Weights 3 and 1 from the right; USPS, FedEx Ground, Canada Post and all SSCC."""
    codes = number.encode()  # sums of codes, "0" is 48: no digit is looked at alone
    plain, thrice = codes[::-2], codes[-2::-2]
    return (sum(plain) + 3 * sum(thrice) - 48 * (len(plain) + 3 * len(thrice))) % 10 == 0


def luhn(number: str) -> bool:
    """Every second digit from the right doubled, and its digits added; Purolator."""
    codes = number.encode()
    doubled = codes[-2::-2].translate(_DOUBLED)
    return (sum(codes[::-2]) + sum(doubled) - 48 * len(codes)) % 10 == 0


def mod10_twice(number: str) -> bool:
    """Every second digit counted twice, beginning with the second from the left; OnTrac, UPS."""
    body = [code - 48 for code in number.encode()]
    last = body.pop()
    return (sum(body[::2]) + 2 * sum(body[1::2]) + last) % 10 == 0


def ups(number: str) -> bool:
    """1Z and 16 characters; letters count (code - 63) by 10, so that A is 2."""
    return mod10_twice(number[2:].translate(_UPS_LETTERS))


def fedex(number: str) -> bool:
    """Weights 1, 3, 7 from the right, the sum by 11, then by 10."""
    codes = number.encode()
    body = codes[-2::-1]
    total = sum(body[::3]) + 3 * sum(body[1::3]) + 7 * sum(body[2::3])
    zeros = 48 * (len(body[::3]) + 3 * len(body[1::3]) + 7 * len(body[2::3]))
    return (total - zeros) % 11 % 10 == codes[-1] - 48


def mod7(number: str) -> bool:
    """The rest of all but the last digit by 7; DHL Express."""
    return int(number[:-1]) % 7 == int(number[-1])


def s10(number: str) -> bool:
    """The Universal Postal Union's international number: two letters, nine digits, two letters."""
    codes = number.encode()
    total: int = sum(map(mul, codes[2:10], _S10)) - 48 * sum(_S10)
    check = 11 - total % 11
    return {10: 0, 11: 5}.get(check, check) == codes[10] - 48


def dpd(number: str) -> bool:
    """ISO 7064 mod 37,36 over digits and letters."""
    product = 36
    for c in number[:-1]:
        total = (product + _ALPHABET.index(c)) % 36 or 36
        product = total * 2 % 37
    return (product + _ALPHABET.index(number[-1])) % 36 == 1
