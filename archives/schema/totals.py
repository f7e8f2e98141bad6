"""Keeps running totals of the proposals that ended, by triggers in the file itself, whoever writes to it (migration m007)."""

from __future__ import annotations

from archives.sqlite.connection import statements

_ENDED = "in ('done', 'refused')"
_PLACED = "coalesce({0}placement in ('NEW', 'IMPROVED'), 0)"
_PAID = """coalesce(sum({0}calls), 0) as calls, coalesce(sum({0}tokens_in + {0}tokens_out), 0) as tokens,
        coalesce(sum({0}usd), 0) as usd, coalesce(sum({0}calls > 0 and {0}usd is null), 0) as unpriced"""
_SUMS, _REALS = ("tried", "placed", "gain", "calls", "tokens", "usd", "unpriced"), ("gain", "usd")

# Each table of totals, counted anew. A plus before a column keeps SQLite from an index of that column alone.
COUNTED = {
    "arm_totals": f"""
with made as (
    select island, model, operator, count(*) as tried, sum({_PLACED.format("")}) as placed, coalesce(sum(gain), 0) as gain
    from proposals where +state {_ENDED} group by island, model, operator
), ended as materialized (
    select id, island, model, operator from proposals where +state {_ENDED}
), paid as (
    select p.island, p.model, p.operator, {_PAID.format("s.")}
    from spend s cross join ended p on p.id = s.proposal where +s.kind = 'model' group by p.island, p.model, p.operator
)
select m.island, m.model, m.operator, m.tried, m.placed, m.gain, coalesce(p.calls, 0) as calls, coalesce(p.tokens, 0) as tokens,
    coalesce(p.usd, 0) as usd, coalesce(p.unpriced, 0) as unpriced
from made m left join paid p on p.island = m.island and p.model = m.model and p.operator = m.operator
""",
    "direction_totals": f"""
select direction, count(*) as tried, sum({_PLACED.format("")}) as placed
from proposals where +state {_ENDED} group by direction
""",
}

_TABLES = """
create table arm_totals (
    island integer not null, model text not null, operator text not null, tried integer not null, placed integer not null,
    gain real not null, calls integer not null, tokens integer not null, usd real not null, unpriced integer not null,
    primary key (island, model, operator)
) strict, without rowid;
create table direction_totals (
    direction text primary key, tried integer not null, placed integer not null
) strict, without rowid;
drop view if exists arms;
create view arms as
select island, model, operator, tried, placed, round(gain, 4) as gain, calls, tokens,
    case when unpriced = 0 then round(usd, 6) end as usd
from arm_totals;
drop index if exists proposals_arm;
create index evaluations_best on evaluations(fitness desc, pgr desc, method) where split = 'dev' and status = 'OK';
create index evaluations_failed on evaluations(split, status, method) where status != 'OK';
"""


def _proposal(row: str, sign: str) -> str:
    """Return what counts a proposal that ended, with all that was spent on it: `new` in, or `old` out."""
    placed, add = f"{sign}{_PLACED.format(f'{row}.')}", "{0} = {0} + excluded.{0}".format
    return f"""
    insert into arm_totals
    select {row}.island, {row}.model, {row}.operator, {sign}1, {placed},
        {sign}coalesce({row}.gain, 0), {sign}calls, {sign}tokens, {sign}usd, {sign}unpriced
    from (
        select {_PAID.format("")}
        from spend where proposal = {row}.id and +kind = 'model'
    ) where {row}.state {_ENDED}
    on conflict (island, model, operator) do update set
        {", ".join(map(add, _SUMS[:3]))},
        {", ".join(map(add, _SUMS[3:]))};
    insert into direction_totals select {row}.direction, {sign}1, {placed} where {row}.state {_ENDED}
    on conflict (direction) do update set {", ".join(map(add, _SUMS[:2]))};"""


def _spend(row: str, sign: str) -> str:
    """Return what counts a model call for a proposal that has ended: of `new` in, or of `old` out."""
    return f"""
    update arm_totals set calls = calls {sign} {row}.calls, tokens = tokens {sign} ({row}.tokens_in + {row}.tokens_out),
        usd = usd {sign} coalesce({row}.usd, 0), unpriced = unpriced {sign} ({row}.calls > 0 and {row}.usd is null)
    where {row}.kind = 'model' and (island, model, operator) = (
        select island, model, operator from proposals where id = {row}.proposal and state {_ENDED}
    );"""


_EMPTIED = """
    delete from arm_totals where island = old.island and model = old.model and operator = old.operator and tried = 0;
    delete from direction_totals where direction = old.direction and tried = 0;"""
_OF_PROPOSAL = "id, island, operator, model, direction, state, placement, gain"
_OF_SPEND = "proposal, kind, calls, tokens_in, tokens_out, usd"
_TRIGGERS = {
    "proposal_insert": f"after insert on proposals when new.state {_ENDED} begin" + _proposal("new", ""),
    "proposal_update": f"after update of {_OF_PROPOSAL} on proposals when old.state {_ENDED} or new.state {_ENDED} begin"
    + _proposal("old", "-") + _proposal("new", "") + _EMPTIED,
    "proposal_delete": f"after delete on proposals when old.state {_ENDED} begin" + _proposal("old", "-") + _EMPTIED,
    "spend_insert": "after insert on spend begin" + _spend("new", "+"),
    "spend_update": f"after update of {_OF_SPEND} on spend begin" + _spend("old", "-") + _spend("new", "+"),
    "spend_delete": "after delete on spend begin" + _spend("old", "-"),
}  # fmt: skip
STATEMENTS = (
    *statements(_TABLES),
    *(f"insert into {table} {counted}" for table, counted in COUNTED.items()),
    *(f"create trigger totals_{name}\n{rest}\nend" for name, rest in _TRIGGERS.items()),
)


def wrong(table: str) -> str:
    """Return the query of the totals that are not what is counted; a sum of reals may be off by a rounding."""
    keys, sums = ("island, model, operator", _SUMS) if table == "arm_totals" else ("direction", _SUMS[:2])
    less = ", ".join(f"-{name}" for name in sums)
    off = " or ".join(f"abs(sum({name})) > {f'1e-6 * (1 + max({name}))' if name in _REALS else 0}" for name in sums)
    counted = f"select {keys}, {less} from ({COUNTED[table]})"
    return f"select {keys} from (select * from {table} union all {counted}) group by {keys} having {off}"
