package command

// Schema creates the table of commands. Times are unix nanoseconds; 0: not yet. It is a step
// of the desk's file.
const Schema = `
CREATE TABLE commands (
	id      TEXT PRIMARY KEY,
	agent   TEXT NOT NULL,
	action  TEXT NOT NULL,
	lane    TEXT NOT NULL,
	zh      TEXT NOT NULL,
	en      TEXT NOT NULL,
	reason  TEXT NOT NULL,
	by_user TEXT NOT NULL,
	asked   INTEGER NOT NULL,        -- when the gate was asked for a nonce
	sent    INTEGER NOT NULL,        -- when the command was signed with it
	ended   INTEGER NOT NULL,        -- at of the gate's record of the outcome
	outcome TEXT NOT NULL,
	why     TEXT NOT NULL,
	detail  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX commands_agent ON commands (agent, asked);`

// kept is how many commands are kept, the newest.
const kept = 10_000
