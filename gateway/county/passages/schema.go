package passages

// Schema creates the tables. Times are unix nanoseconds. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE passages (               -- the last ones of each gate
	jid       TEXT NOT NULL,
	seq       INTEGER NOT NULL,
	agent     TEXT NOT NULL,
	at        INTEGER NOT NULL,
	verdict   TEXT NOT NULL,
	reasons   TEXT NOT NULL,
	screening INTEGER,                -- hundredths of a degree Celsius
	ambient   INTEGER,
	direction TEXT NOT NULL,
	class     TEXT NOT NULL,
	readings  TEXT NOT NULL,          -- JSON array of seqs
	PRIMARY KEY (jid, seq)
) WITHOUT ROWID;
CREATE INDEX passages_at ON passages (agent, at);
CREATE TABLE hours (                  -- what each gate did in each hour
	agent   TEXT NOT NULL,
	hour    INTEGER NOT NULL,         -- unix hours
	pass    INTEGER NOT NULL, retest INTEGER NOT NULL, invalid INTEGER NOT NULL,
	refuse  INTEGER NOT NULL, fever  INTEGER NOT NULL,
	temps   INTEGER NOT NULL,         -- screening temperatures of passes and fevers
	sum     INTEGER NOT NULL,         -- of them, hundredths of a degree
	PRIMARY KEY (hour, agent)
) WITHOUT ROWID;
CREATE INDEX hours_agent ON hours (agent, hour);`
