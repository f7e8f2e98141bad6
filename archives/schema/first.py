"""Defines the tables and views of the first version of the archive; later ones come from migrations.py."""

TABLES = """
create table runs (
    id text primary key, created text not null, task text not null, task_version text not null, vault text not null,
    config text not null, seed integer not null, state text not null, level text not null, evolve_version text not null,
    champion text not null default '', human_best text not null default '', verdict text not null default '',
    system text not null default '',
    seconds real not null default 0, engine_seconds real not null default 0
) strict;
create table directions (
    name text primary key, text text not null, focus text not null, origin text not null
) strict;
create table methods (
    id text primary key, source text not null, nodes integer not null, name text not null, origin text not null,
    structure text not null, constants text not null, sketch text not null, flags text not null default '',
    created text not null default current_timestamp
) strict;
create index methods_added on methods(origin) where origin = 'added';
create table proposals (
    id integer primary key, island integer not null, operator text not null, model text not null,
    direction text not null references directions(name), parents text not null, prompt text not null, reply text not null,
    idea text not null, source text, novelty real not null, state text not null, reason text not null,
    method text references methods(id), placement text, created text not null default current_timestamp
) strict;
create index proposals_method on proposals(method);
create index proposals_state on proposals(state);
create table evaluations (
    id integer primary key, method text not null references methods(id), proposal integer references proposals(id),
    domain text not null, split text not null, status text not null, fitness real, pgr real, pgr_low real, pgr_high real,
    trials integer not null, measures text not null, seconds real not null, message text not null,
    created text not null default current_timestamp
) strict;
create index evaluations_method on evaluations(method, split, domain);
create table trials (
    evaluation integer not null references evaluations(id), domain text not null, instance integer not null,
    split text not null, status text not null, pgr real, stderr real, transfer_acc real, weak_acc real, strong_acc real,
    n integer, measures text not null, seconds real not null, message text not null,
    primary key (evaluation, instance)
) strict, without rowid;
create table elites (
    island integer not null, cell integer not null, method text not null references methods(id), fitness real not null,
    placed text not null default current_timestamp, primary key (island, cell)
) strict, without rowid;
create table events (
    id integer primary key, at text not null default current_timestamp, kind text not null, text text not null,
    island integer, method text, value real
) strict;
create virtual table findings using fts5(title, text, author, at unindexed);
create table looks (
    id integer primary key, at text not null default current_timestamp, who text not null, method text not null,
    domain text not null, split text not null, instances integer not null, why text not null
) strict;
create table reviews (
    id integer primary key, at text not null default current_timestamp, method text not null references methods(id),
    verdict text not null, reason text not null, reviewer text not null
) strict;
create table spend (
    id integer primary key, at text not null default current_timestamp, proposal integer references proposals(id),
    kind text not null, model text not null, calls integer not null, tokens_in integer not null, tokens_out integer not null,
    usd real, seconds real not null
) strict;
"""

VIEWS = """
create view leaderboard as
with dev as (
    select method, fitness, pgr, pgr_low, pgr_high, status, row_number() over (partition by method order by id desc) as newest
    from evaluations where split = 'dev'
), search_domain as (
    select domain from evaluations where split = 'dev' order by id limit 1
), fresh as (
    select method, pgr, pgr_low, pgr_high, row_number() over (partition by method order by id desc) as newest
    from evaluations where split = 'fresh' and domain = (select domain from search_domain)
), cost as (
    select p.method, sum(s.usd) as usd from spend s join proposals p on p.id = s.proposal group by p.method
), home as (
    select method, island, cell, row_number() over (partition by method order by island) as first from elites
)
select m.id as method, m.name, m.origin, round(d.fitness, 3) as fitness, round(d.pgr, 3) as pgr,
    round(d.pgr_low, 3) as pgr_low, round(d.pgr_high, 3) as pgr_high, round(f.pgr, 3) as fresh_pgr,
    round(f.pgr_low, 3) as fresh_low, round(f.pgr_high, 3) as fresh_high,
    (select count(*) from evaluations e where e.method = m.id) as evaluations,
    round(c.usd, 4) as usd, m.flags, h.island, h.cell, (select sum(trials) from evaluations e where e.method = m.id) as trials
from methods m join dev d on d.method = m.id and d.newest = 1
left join fresh f on f.method = m.id and f.newest = 1
left join cost c on c.method = m.id
left join home h on h.method = m.id and h.first = 1
where d.status = 'OK'
order by d.fitness is null, d.fitness desc, d.pgr desc;

create view lineage as
select p.method as child, parent.value as parent, p.operator, p.model, p.direction,
    round(c.pgr - b.pgr, 3) as gain
from proposals p, json_each(p.parents) parent
left join evaluations c on c.id = (select max(id) from evaluations where method = p.method and split = 'dev')
left join evaluations b on b.id = (select max(id) from evaluations where method = parent.value and split = 'dev')
where p.method is not null and p.state = 'done';

create view baselines as
select name, method, pgr, pgr_low, pgr_high, fresh_pgr, fresh_low, fresh_high from leaderboard where origin = 'seed'
order by coalesce(fresh_pgr, pgr) desc;

create view cells as
select e.island, e.cell, e.method, m.name, round(e.fitness, 3) as fitness, m.nodes as size, e.placed
from elites e join methods m on m.id = e.method order by e.island, e.cell;

create view costs as
select model, sum(calls) as calls, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
    case when count(*) = count(usd) then round(sum(usd), 6) end as usd
from spend where kind = 'model' group by model;

create view failures as
select status, reason, count(*) as count from (
    select 'REFUSED' as status, reason from proposals where state = 'refused'
    union all
    select status, message as reason from evaluations where status != 'OK'
) group by status, reason order by count desc;
"""
