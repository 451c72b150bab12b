-- Whoever acts by a key shows its certificate once. What was shown is kept with it, so that it can be asked again later whether somebody
-- still vouches for it: the certificate and the authorities above it, each DER in base64, in a JSON list. NULL where none was kept.

ALTER TABLE certificates ADD COLUMN path TEXT;
