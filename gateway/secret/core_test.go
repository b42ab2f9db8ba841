package secret

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// crashVariable has this test's program crash as one that is told to leave a core file:
// "allowed" as it is, "forbidden" after NoCore.
const crashVariable = "GATEHOUSE_TEST_CRASH"

func TestMain(m *testing.M) {
	switch how := os.Getenv(crashVariable); how {
	case "":
		os.Exit(m.Run())
	case "forbidden":
		if err := NoCore(); err != nil {
			os.Exit(3)
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &now); err != nil || now.Cur > noCore || now.Max > noCore {
			os.Exit(4)
		}
		fallthrough
	default:
		_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	}
}

// crash runs this test's program until it has crashed.
func crash(t *testing.T, how string) syscall.WaitStatus {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -S -c "$(ulimit -H -c)"; exec "$0"`, os.Args[0])
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), crashVariable+"="+how, "GOTRACEBACK=crash")
	var ended *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &ended) {
		t.Fatalf("it does not crash: %v", err)
	}
	files, err := os.ReadDir(cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if how == "forbidden" && len(files) > 0 {
		t.Errorf("it leaves %s", files[0].Name())
	}
	status, is := ended.Sys().(syscall.WaitStatus)
	if !is {
		t.Fatal("no status")
	}
	return status
}

// A program that crashes leaves no core file, whatever the account's limit is.
func TestACrashLeavesNoCoreFile(t *testing.T) {
	if s := crash(t, "allowed"); !s.Signaled() {
		t.Errorf("a program that may leave a core file ends with %v", s)
	}
	if s := crash(t, "forbidden"); !s.Signaled() || s.CoreDump() {
		t.Errorf("it ends with %v, core file %v", s, s.CoreDump())
	}
}
