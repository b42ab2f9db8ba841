package cli

// NewRoot and Leaves are for tests from outside.
var (
	NewRoot = newRoot
	Leaves  = leaves
)
