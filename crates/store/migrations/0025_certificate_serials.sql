-- The responder of an authority is asked by serial number.

CREATE INDEX certificates_by_serial ON certificates (serial) WHERE kind IN ('qwac', 'qseal');
