"""Files out of zip archives, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from io import BufferedWriter

# (archive, member) -> (what the archive looked like, where its member was put).
_extracted: dict[tuple[str, str], tuple[tuple[int, int, int], str]] = {}


def _split_archive(path: str) -> tuple[str, str]:
    """Split `path` where it leaves the file system: (existing part, name below it)."""
    archive, member = os.path.split(path)
    while archive and not os.path.exists(archive):
        archive, last = os.path.split(archive)
        if not last:  # the root of a path that nobody has: it would not get shorter any more
            break
        member = f"{last}/{member}"
    return archive, member


def extract_zipped_paths(path: str) -> str:
    """If `path` points into a zip archive, return a file with that member's content, else `path`.

    The file has a name nobody can foresee, and only its owner may read it. As long as the archive
    does not change, asking again gives the same file.
    """
    if os.path.exists(path):
        return path

    from . import utils

    zipfile, tempfile = utils.zipfile, utils.tempfile
    archive, member = _split_archive(path)
    if not zipfile.is_zipfile(archive):
        return path

    status = os.stat(archive)
    looks = (status.st_mtime_ns, status.st_size, status.st_ino)
    known_looks, known_path = _extracted.get((archive, member), (None, ""))
    if known_looks == looks and os.path.exists(known_path):
        return known_path

    with zipfile.ZipFile(archive) as opened:
        if member not in opened.namelist():
            return path
        content = opened.read(member)
    suffix = os.path.splitext(member.rpartition("/")[2])[1]
    descriptor, extracted_path = tempfile.mkstemp(suffix=suffix)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    _extracted[archive, member] = (looks, extracted_path)
    return extracted_path


@contextlib.contextmanager
def atomic_open(filename: str) -> Generator[BufferedWriter, None, None]:
    """Open a file for writing that takes the place of `filename` when the block ends well."""
    from . import utils

    descriptor, temporary = utils.tempfile.mkstemp(dir=os.path.dirname(filename))
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(temporary, filename)
    except BaseException:
        os.remove(temporary)
        raise
