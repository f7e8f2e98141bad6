"""Migrates an archive to today's schema; a file whose migrations we do not know was written by a newer version."""

from __future__ import annotations

import sqlite3

from archives.nouns import ArchiveError
from archives.schema.first import TABLES, VIEWS
from archives.schema.readme import explain
from archives.schema.totals import STATEMENTS
from archives.sqlite.connection import statements
from archives.sqlite.library import Database, Migrations

migrations = Migrations("evolve")


@migrations()
def m001_tables_and_views(db: Database) -> None:
    """Create every table and view of the first version."""
    for statement in statements(TABLES + VIEWS):
        db.execute(statement)


_BELIEF = """
create table probes (
    id integer primary key, at text not null default current_timestamp, method text not null references methods(id),
    domain text not null, split text not null, instance integer not null, probe text not null, verdict text not null,
    number real, threshold real, sentence text not null
) strict;
create index probes_method on probes(method);
alter table looks add column lineage text not null default '';
alter table looks add column answer real;
create index looks_who on looks(split, domain, who);
alter table runs add column tried integer not null default 0;
alter table runs add column inflation real;
create table ordered_trials (
    evaluation integer not null references evaluations(id), place integer not null, domain text not null,
    instance integer not null, split text not null, status text not null, pgr real, stderr real, transfer_acc real,
    weak_acc real, strong_acc real, n integer, measures text not null, seconds real not null, message text not null,
    primary key (evaluation, place)
) strict, without rowid;
insert into ordered_trials select evaluation, row_number() over (partition by evaluation order by instance) - 1, domain,
    instance, split, status, pgr, stderr, transfer_acc, weak_acc, strong_acc, n, measures, seconds, message from trials;
drop table trials;
alter table ordered_trials rename to trials;
drop view baselines;
drop view leaderboard;
"""

_LOOKERS = """
create view lookers as
select who, lineage, domain, split, count(*) as looks, sum(instances) as instances, max(at) as last
from looks group by who, lineage, domain, split order by looks desc;
"""


@migrations()
def m002_probes_looks_and_several_domains(db: Database) -> None:
    """Keep what probes found, whose lineage looked at which score, the inflation of selection, and the order of trials."""
    board = _view("leaderboard").replace("as trials\n", "as trials, round(d.pgr - f.pgr, 3) as inflation\n")
    for statement in statements(_BELIEF + board + _view("baselines") + _LOOKERS):
        db.execute(statement)


_CALLS = """
alter table proposals add column inspirations text not null default '[]';
alter table proposals add column fixes integer references proposals(id);
alter table proposals add column gain real;
alter table proposals add column worst_tokens integer not null default 0;
alter table proposals add column worst_usd real;
alter table spend add column cached integer not null default 0;
alter table spend add column reasoning integer not null default 0;
alter table spend add column turn integer not null default 1;
alter table spend add column reply text not null default '';
alter table spend add column problem text not null default '';
alter table spend add column worst_tokens integer not null default 0;
alter table spend add column worst_usd real;
create index spend_proposal on spend(proposal);
alter table directions add column parent text not null default '';
alter table directions add column proposal integer references proposals(id);
create table journal (id integer primary key, step text not null, proposal integer, method text, config text) strict;
drop view costs;
create view costs as
select model, sum(calls) as calls, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
    case when count(*) = count(usd) then round(sum(usd), 6) end as usd, sum(cached) as cached, sum(reasoning) as reasoning
from spend where kind = 'model' group by model;
drop view failures;
create view failures as
select status, reason, count(*) as count from (
    select upper(state) as status, reason from proposals where state in ('refused', 'unanswered')
    union all
    select status, message as reason from evaluations where status != 'OK'
) group by status, reason order by count desc;
create view arms as
select p.island, p.model, p.operator, count(*) as tried, coalesce(sum(p.placement in ('NEW', 'IMPROVED')), 0) as placed,
    round(coalesce(sum(p.gain), 0), 4) as gain, coalesce(sum(s.calls), 0) as calls, coalesce(sum(s.tokens), 0) as tokens,
    case when count(s.proposal) = count(s.usd) then round(coalesce(sum(s.usd), 0), 6) end as usd
from proposals p left join (
    select proposal, sum(calls) as calls, sum(tokens_in + tokens_out) as tokens,
        case when sum(calls > 0 and usd is null) = 0 then coalesce(sum(usd), 0) end as usd
    from spend where kind = 'model' group by proposal
) s on s.proposal = p.id
where p.state in ('done', 'refused') group by p.island, p.model, p.operator;
"""


@migrations()
def m003_calls_and_the_journal(db: Database) -> None:
    """Keep each model call, the order in which steps ended, what a proposal was shown and what it gained."""
    for statement in statements(_CALLS):
        db.execute(statement)


@migrations()
def m004_readme(db: Database) -> None:
    """Explain every table and view in the file itself."""
    db.execute("create table README (name text primary key, about text not null) strict")
    explain(db)


_GRIDS = """
alter table runs add column grid text not null default '';
drop view cells;
create view cells as
select e.island, e.cell, e.method, m.name, round(e.fitness, 3) as fitness, m.nodes as size, e.placed, (
    select v.measures from evaluations v where v.method = e.method and v.split = 'dev' and v.fitness = e.fitness
    order by v.id desc limit 1
) as measures
from elites e join methods m on m.id = e.method order by e.island, e.cell;
create view vectors as
select e.method, m.name, round(e.fitness, 3) as fitness, (
    select '{' || group_concat('"' || replace(domain, '"', '') || '": ' || pgr, ', ') || '}' from (
        select domain, round(avg(pgr), 3) as pgr from trials where evaluation = e.id group by domain order by domain
    )
) as pgrs
from evaluations e join methods m on m.id = e.method
where e.id in (
    select max(id) from evaluations where split = 'dev' and status = 'OK' and fitness is not null group by method
) and m.flags = ''
order by e.fitness desc;
create view pareto as
with v as materialized (select method, name, fitness, pgrs from vectors order by fitness desc limit -1)
select method, name, fitness, pgrs from v where not exists (
    select 1 from v other where (
        select min(theirs.value >= ours.value) and max(theirs.value > ours.value)
        from json_each(other.pgrs) theirs join json_each(v.pgrs) ours on theirs.key = ours.key
    )
);
"""


@migrations()
def m005_grids_and_vectors(db: Database) -> None:
    """Keep the grid of a run, say of each cell what was measured of its elite, and fitness as a vector over search domains."""
    for statement in statements(_GRIDS):
        db.execute(statement)
    explain(db)


# a plus before a column keeps SQLite from an index of that column alone: the ones meant hold all that is read
_VISITS = """
alter table proposals add column cell integer;
create index proposals_cell on proposals(island, cell);
create index proposals_made on proposals(id, state, island, model, operator, direction, placement, gain, novelty);
create index proposals_arm on proposals(island, model, operator, state, placement, gain);
create index proposals_direction on proposals(direction, state, placement);
create index spend_costs on spend(kind, model, proposal, calls, tokens_in, tokens_out, usd, cached, reasoning, seconds);
create index methods_by_hand on methods(origin) where origin != 'search';
drop index methods_added;
drop view cells;
create view cells as
select e.island, e.cell, e.method, m.name, round(e.fitness, 3) as fitness, m.nodes as size, e.placed, (
    select v.measures from evaluations v where v.method = e.method and v.split = 'dev' and v.fitness = e.fitness
    order by v.id desc limit 1
) as measures,
    (select max(id) from proposals) - coalesce((select min(id) from proposals p where p.method = e.method), 0) as age,
    count(p.id) as visits, coalesce(sum(case when p.placement in ('NEW', 'IMPROVED') then 1
        when p.state in ('done', 'refused') then -0.5 end), 0) as curiosity
from elites e join methods m on m.id = e.method
left join proposals p on p.island = e.island and p.cell = e.cell and p.operator != 'vary'
group by e.island, e.cell;
drop view arms;
create view arms as
with made as (
    select island, model, operator, count(*) as tried, coalesce(sum(placement in ('NEW', 'IMPROVED')), 0) as placed,
        round(coalesce(sum(gain), 0), 4) as gain
    from proposals where +state in ('done', 'refused') group by island, model, operator
), ended as materialized (
    select id, island, model, operator from proposals where +state in ('done', 'refused')
), paid as (
    select p.island, p.model, p.operator, sum(s.calls) as calls, sum(s.tokens_in + s.tokens_out) as tokens,
        sum(s.usd) as usd, sum(s.calls > 0 and s.usd is null) as unpriced
    from spend s cross join ended p on p.id = s.proposal where +s.kind = 'model' group by p.island, p.model, p.operator
)
select m.island, m.model, m.operator, m.tried, m.placed, m.gain, coalesce(p.calls, 0) as calls, coalesce(p.tokens, 0) as tokens,
    case when coalesce(p.unpriced, 0) = 0 then round(coalesce(p.usd, 0), 6) end as usd
from made m left join paid p on p.island = m.island and p.model = m.model and p.operator = m.operator;
"""


@migrations()
def m006_visits(db: Database) -> None:
    """Keep which cell a proposal's first parent held: its visits, and its curiosity. Index what is looked at: rows are long."""
    for statement in statements(_VISITS):
        db.execute(statement)
    explain(db)


@migrations()
def m007_totals(db: Database) -> None:
    """Keep totals of arms and directions by triggers; index evaluations best first, so that few are read to find the best."""
    for statement in STATEMENTS:
        db.execute(statement)
    explain(db)


@migrations()
def m008_notes(db: Database) -> None:
    """Keep the numbers that methods report of their trials."""
    db.execute("alter table trials add column notes text not null default '{}'")


@migrations()
def m009_errors(db: Database) -> None:
    """Keep what kind of errors the answer of a trial makes."""
    db.execute("alter table trials add column errors text not null default '{}'")


_EXPERIMENTS = """
alter table runs add column prompts text not null default '';
alter table proposals add column prediction text not null default '';
create table pairs (
    id integer primary key, one text not null references methods(id), other text not null references methods(id), adds real,
    unique (one, other)
) strict;
create table experiments (
    id integer primary key, proposal integer references proposals(id), subject text references methods(id), label text not null,
    method text not null, source text not null, status text not null, pgr real, message text not null,
    trials text not null, seconds real not null, created text not null default current_timestamp
) strict;
create index experiments_proposal on experiments(proposal);
create index experiments_subject on experiments(subject);
"""


@migrations()
def m010_experiments(db: Database) -> None:
    """Keep experiments on variants of methods, what a child was predicted to show, and what one parent adds to another."""
    for statement in statements(_EXPERIMENTS):
        db.execute(statement)
    explain(db)


def _view(name: str) -> str:
    """Return the first version's definition of a view."""
    return next(f"{view};\n" for view in statements(VIEWS) if f"create view {name} as" in view)


def names() -> list[str]:
    """Return the names of the migrations, oldest first."""
    return sorted(name for name in globals() if name.startswith("m0"))


def is_older(connection: sqlite3.Connection) -> bool:
    """Tell whether an archive lacks migrations that we know."""
    return bool(migrations.pending(Database(connection, execute_plugins=False)))


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an archive up to date. Raises ArchiveError when it is from a newer version."""
    db = Database(connection, execute_plugins=False)
    newer = sorted({migration.name for migration in migrations.applied(db)} - set(names()))
    if newer:
        raise ArchiveError(f"this archive was written by a newer evolve (it has {', '.join(newer)}): update evolve to open it")
    if migrations.pending(db):
        migrations.apply(db)
