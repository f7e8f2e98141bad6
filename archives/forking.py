"""What turns a copy of an archive in which only seeds were judged into the beginning of another run."""

from __future__ import annotations

from archives.archive import Archive

_OF_A_METHOD = ("probes", "looks", "events", "journal", "elites", "reviews")


def begin_again(archive: Archive, run: str, config: str, seed: int, grid: str) -> None:
    """Give an archive another name, configuration (JSON), seed and grid (JSON); its elites are to be placed anew."""
    with archive.transaction():
        archive.update_run(id=run, config=config, seed=seed, grid=grid, state="interrupted", seconds=0.0, engine_seconds=0.0)
        archive.execute("update journal set config = ? where config is not null", [config])
        archive.execute("delete from elites")


def leave_out(archive: Archive, method: str) -> None:
    """Take a seed out of an archive, with everything that is known of it."""
    with archive.transaction():
        archive.execute("delete from trials where evaluation in (select id from evaluations where method = ?)", [method])
        archive.execute("delete from evaluations where method = ?", [method])
        for table in _OF_A_METHOD:
            archive.execute(f"delete from {table} where method = ?", [method])
        archive.execute("delete from methods where id = ?", [method])
