-- What removing a rule was going to do when it was decided, in a word and in a sentence. Empty: not known.

-- +goose Up
ALTER TABLE revocations ADD COLUMN effect_class TEXT NOT NULL DEFAULT '';
ALTER TABLE revocations ADD COLUMN effect TEXT NOT NULL DEFAULT '';
