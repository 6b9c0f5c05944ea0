"""A file that servers have, fetched from one that may misbehave."""

from apr.data.sources.download import download

DATA = bytes(range(256)) * 4096
HALF = len(DATA) // 2


def fetch(server, target, waits=None, name=None, url=None, **declared):
    entry = {"name": name or target.name, "url": url or f"{server.address}/{target.name}", **declared}
    download(entry, target, root=target.parent, sleep=(waits if waits is not None else []).append)


def left(folder):
    return sorted(path.name for path in folder.iterdir())
