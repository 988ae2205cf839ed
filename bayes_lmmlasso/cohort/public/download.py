"""One file from a web address: resumed after any interruption, verified, and under its name only when it is complete.

The bytes so far lie in NAME.part. A later attempt, of this call or of another, asks the server for the rest (a range
request, RFC 9110, section 14) and starts again where the server does not know ranges. The finished file is renamed
once its SHA-256 is the one expected and it is on the disk; other bytes are thrown away and fetched once more. Where no
SHA-256 is known, the length that the server tells says when the file is complete.
"""

from __future__ import annotations

import time
from pathlib import Path

import requests

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import file_sum, sync
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["download", "is_fetched"]

_ATTEMPTS = 4
_CHUNK = 2**16
_RETRIED = (408, 429)  # refusals that may go away, as those from 500 on


def download(
    url: str,
    target: Path,
    sha256: str | None,
    *,
    timeout: float = 30.0,
    pause: float = 1.0,
    progress: Progress = silent,
) -> None:
    """Fetch a file, or leave it as it is where it is there already.

    Parameters
    ----------
    url
        Address.
    target
        File to write, in an existing folder.
    sha256
        Its SHA-256 as 64 hexadecimal digits; None if it is not known.
    timeout
        Seconds without a byte after which an attempt is given up.
    pause
        Seconds before the second attempt, doubled before every further one.
    progress
        Told of the bytes.

    Raises
    ------
    InputError
        If another file has the name, the server refuses, or neither four attempts nor two complete ones bring the
        file expected.
    """
    if is_fetched(target, sha256):
        return
    part = target.with_name(f"{target.name}.part")
    reasons: list[str] = []
    wrong = f"bytes whose SHA-256 is not {sha256}"
    while len(reasons) < _ATTEMPTS and reasons.count(wrong) < 2:
        if reasons:
            time.sleep(pause * 2 ** (len(reasons) - 1))
        try:
            _resume(url, part, timeout, progress)
            if sha256 in (None, file_sum(part)):
                sync(part)
                part.replace(target)
                return
            part.unlink()
            reasons.append(wrong)
        except requests.RequestException as error:
            reasons.append(_reason(error))
        except OSError as error:
            raise InputError(f"expected to write {target}, got {error}: make room or choose another folder") from error
    kept = part.stat().st_size if part.exists() else 0
    remedy = f"try again to go on from {kept:,} bytes" if kept else "try again later or check the address"
    raise InputError(
        f"expected {target.name} from {url}, got {'; '.join(reasons)} in {len(reasons)} attempts: {remedy}"
    )


def is_fetched(target: Path, sha256: str | None) -> bool:
    """Whether a file is there already; InputError if another one has its name."""
    if not target.exists():
        return False
    if sha256 not in (None, file_sum(target)):
        raise InputError(f"expected no other file at {target}, got one with other bytes: move it away")
    return True


def _resume(url: str, part: Path, timeout: float, progress: Progress) -> None:
    """Bring the missing bytes."""
    start = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        status = response.status_code
        if status == 416:  # nothing beyond these bytes: whether they are the file is for the hash to say
            return
        if 400 <= status < 500 and status not in _RETRIED:
            raise InputError(f"expected a file at {url}, got {status} {response.reason}: check the address")
        response.raise_for_status()
        resumed = status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        done = start if resumed else 0
        total = done + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(part.stem, done, max(total, done))


def _reason(error: requests.RequestException) -> str:
    """Say in a few words what went wrong."""
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "a connection that broke off"
    return f"no connection ({type(error).__name__})"
