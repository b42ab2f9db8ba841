package presence

// Schema creates the table. It is a step of the desk's file, as is SchemaOrigin.
const Schema = `
CREATE TABLE lineages (               -- each agent's journal at its last heartbeat
	agent   TEXT PRIMARY KEY,
	jid     TEXT NOT NULL,
	last    INTEGER NOT NULL,
	through INTEGER NOT NULL
) WITHOUT ROWID;`

// SchemaOrigin adds the jid that a journal was made with.
const SchemaOrigin = `
ALTER TABLE lineages ADD COLUMN origin TEXT NOT NULL DEFAULT ''; -- empty: the agent's version does not send it`
