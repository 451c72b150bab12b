-- Makes PostgreSQL fail as one does whose transactions are all serializable, and which is spread over many machines: now and then a
-- read, a write, or the end of a transaction is refused because of others (40001, 40P01), though nobody was in the way. It does so to
-- whoever connects with the options `-c role=spoiled -c spoiled.active=yes`, on tables that are made with them.

-- Until what follows is there for all to see.
SELECT pg_advisory_xact_lock(20260101);

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'spoiled') THEN
        RETURN;
    END IF;
    CREATE ROLE spoiled NOLOGIN;
    CREATE SCHEMA spoiled AUTHORIZATION spoiled;
    -- How often something failed; a sequence, because what it counts is rolled back.
    CREATE SEQUENCE spoiled.failures;
    ALTER SEQUENCE spoiled.failures OWNER TO spoiled;

    CREATE FUNCTION spoiled.fail(code TEXT) RETURNS VOID LANGUAGE plpgsql AS $f$
    BEGIN
        PERFORM nextval('spoiled.failures');
        RAISE EXCEPTION 'spoiled' USING ERRCODE = code;
    END $f$;

    CREATE FUNCTION spoiled.is_active() RETURNS BOOLEAN LANGUAGE sql AS
        $f$ SELECT coalesce(current_setting('spoiled.active', true), '') = 'yes' $f$;

    -- A number that is another one for each transaction and table, and the same for all rows.
    CREATE FUNCTION spoiled.chance(seed BIGINT) RETURNS BIGINT LANGUAGE sql AS
        $f$ SELECT abs(hashint8extended(pg_current_xact_id()::text::bigint, seed) % 1000) $f$;

    CREATE FUNCTION spoiled.statement() RETURNS TRIGGER LANGUAGE plpgsql AS $f$
    DECLARE chance BIGINT;
    BEGIN
        IF spoiled.is_active() THEN
            chance := spoiled.chance(TG_RELID::bigint);
            IF chance < 30 THEN PERFORM spoiled.fail('40001'); END IF;
            IF chance < 40 THEN PERFORM spoiled.fail('40P01'); END IF;
        END IF;
        RETURN NULL;
    END $f$;

    CREATE FUNCTION spoiled.at_commit() RETURNS TRIGGER LANGUAGE plpgsql AS $f$
    BEGIN
        IF spoiled.is_active() AND spoiled.chance(0) < 40 THEN PERFORM spoiled.fail('40001'); END IF;
        RETURN NULL;
    END $f$;

    -- A read fails as a whole, however many rows it looks at: by the moment at which it began. Those within a write have their turn above.
    CREATE FUNCTION spoiled.can_be_read() RETURNS BOOLEAN LANGUAGE plpgsql AS $f$
    BEGIN
        IF pg_current_xact_id_if_assigned() IS NULL AND spoiled.is_active()
            AND extract(microseconds FROM statement_timestamp())::bigint / 3 % 40 = 0 THEN
            PERFORM spoiled.fail('40001');
        END IF;
        RETURN true;
    END $f$;

    CREATE FUNCTION spoiled.spoil() RETURNS event_trigger LANGUAGE plpgsql AS $f$
    DECLARE made TEXT;
    BEGIN
        IF NOT spoiled.is_active() THEN
            RETURN;
        END IF;
        FOR made IN SELECT object_identity FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
            EXECUTE format('CREATE TRIGGER spoiled_statement BEFORE INSERT OR UPDATE OR DELETE ON %s
                FOR EACH STATEMENT EXECUTE FUNCTION spoiled.statement()', made);
            EXECUTE format('CREATE CONSTRAINT TRIGGER spoiled_commit AFTER INSERT OR UPDATE OR DELETE ON %s
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spoiled.at_commit()', made);
            EXECUTE format('CREATE POLICY spoiled ON %s USING (spoiled.can_be_read()) WITH CHECK (true)', made);
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made);
            EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', made);
        END LOOP;
    END $f$;

    CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION spoiled.spoil();
END $$;
