-- What a new PostgreSQL server needs before the first migration: the role and the database of the hub, and pgvector in it.
-- Run once, by a superuser, with psql; DATABASE_PASSWORD is read from the environment of psql:
--     psql --set ON_ERROR_STOP=1 --file sql/server/create_hub.sql
--
-- The hub itself is no superuser: whoever finds a way to run SQL of their own must not read files or start programs with it.
-- pgvector is made here because only a superuser may.

\getenv password DATABASE_PASSWORD

create role hub login password :'password';

-- Text is ordered by code point, on every operating system and for ever: indexes survive an upgrade of the system's C library.
create database hub
    owner hub
    template template0
    encoding 'UTF8'
    locale_provider builtin
    builtin_locale 'C.UTF-8'
    locale 'C';

revoke connect, temporary on database hub from public;

\connect hub

create extension vector;
