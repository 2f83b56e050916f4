"""The licences under which photographs are taken in, by Openverse's codes, with the address that each stands for.

Source of the codes: Openverse's API documentation; of the addresses: creativecommons.org.
"""

LICENCE_URLS = {
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "pdm": "https://creativecommons.org/publicdomain/mark/1.0/",
    "by": "https://creativecommons.org/licenses/by/4.0/",
    "by-sa": "https://creativecommons.org/licenses/by-sa/4.0/",
    "by-nd": "https://creativecommons.org/licenses/by-nd/4.0/",
    "by-nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "by-nc-sa": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "by-nc-nd": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
}
LICENCES = tuple(LICENCE_URLS)
# As people write them, with the version that the address is of.
LICENCE_NAMES = {
    "cc0": "CC0 1.0",
    "pdm": "Public Domain Mark 1.0",
    **{code: f"CC {code.upper()} 4.0" for code in LICENCES if code.startswith("by")},
}
