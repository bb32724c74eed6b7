-- What is over stays over, but for one thing: an answer that comes from a vendor after its request counted as not
-- done, and says that the run exists there. Of two records of one run the vendor's is the true one.

DROP TRIGGER sequence_end_is_final;

CREATE TRIGGER sequence_end_is_final BEFORE UPDATE OF status ON sequence
WHEN OLD.status IN ('COMPLETED', 'SUCCEEDED', 'FAILED', 'STOPPED_EARLY', 'REFUSED') AND NEW.status <> OLD.status
  AND NOT (OLD.status = 'FAILED' AND NEW.status = 'ACTIVE'
           AND OLD.provider <> 'local' AND OLD.operation_id IS NOT NULL AND OLD.remote_id IS NULL)
BEGIN SELECT RAISE(ABORT, 'a sequence that is over stays over'); END;
