package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Bounds of disks and memory.
const (
	littleRoom   = 500 << 20 // bytes
	noRoom       = 20 << 20
	fewFiles     = 1000
	slowSync     = 100 * time.Millisecond
	stuckSync    = time.Second
	littleMemory = 64 << 20
	noMemory     = 16 << 20
)

// folders looks at who may use the folders in which the service keeps things.
func (e *exam) folders(context.Context) {
	for _, dir := range e.Keeps {
		f, err := e.p.Folder(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			e.add(Finding{Check: "folder.there", On: dir, Verdict: Warn,
				What: Text{dir + " 不存在", dir + " is not there"},
				Why: Text{"第一次启动会建；以前启动过就是丢了或者磁盘没挂上",
					"the first start makes it; if there was one, its disk is not mounted"},
				Cure: Text{"看磁盘: findmnt；再启动服务", "look at the disks: findmnt; then start the service"}})
		case err != nil:
			e.unseen("folder.there", dir, err)
		default:
			e.folder(dir, f)
		}
	}
}

func (e *exam) folder(dir string, f Folder) {
	chown := fmt.Sprintf("sudo chown -R %s: %s", e.Owner, dir)
	switch {
	case e.Owner != "" && f.Owner != e.Owner:
		e.add(Finding{Check: "folder.owner", On: dir, Verdict: Fail,
			What: Text{fmt.Sprintf("%s 属于 %s，服务用 %s 运行", dir, f.Owner, e.Owner),
				fmt.Sprintf("%s belongs to %s, and the service runs as %s", dir, f.Owner, e.Owner)},
			Why: Text{"服务写不进去，什么也存不下", "the service can't write, and nothing is stored"}, Cure: Text{chown, chown}})
	case len(f.Strangers) > 0:
		e.add(Finding{Check: "folder.owner", On: dir, Verdict: Fail,
			What: Text{fmt.Sprintf("%s 里有别的用户的文件: %s", dir, strings.Join(f.Strangers, ", ")),
				fmt.Sprintf("%s has files of other users: %s", dir, strings.Join(f.Strangers, ", "))},
			Why: Text{"用 root 启动过一次就会这样；服务打不开它们", "it was started as root once; the service can't open them"},
			Cure: Text{fmt.Sprintf("sudo chown -R %s: %s", f.Owner, dir), fmt.Sprintf("sudo chown -R %s: %s", f.Owner,
				dir)}})
	case f.Mode.Perm()&0o007 != 0:
		cure := "sudo chmod o-rwx " + dir
		e.add(Finding{Check: "folder.mode", On: dir, Verdict: Warn,
			What: Text{fmt.Sprintf("别人能进 %s (%04o)", dir, f.Mode.Perm()),
				fmt.Sprintf("others may enter %s (%04o)", dir, f.Mode.Perm())},
			Why: Text{"里面有钥匙和个人信息", "keys and personal data are in it"}, Cure: Text{cure, cure}})
	default:
		e.good("folder.owner", dir, dir+" 的主人和权限正确", dir+" has the right owner and rights")
	}
}

// disks looks at the file systems, their room, and how fast they write.
func (e *exam) disks(ctx context.Context) {
	for _, dir := range e.Keeps {
		warning, err := e.p.FileSystem(dir)
		switch why := (Text{"断电或满了就丢数据", "data is lost or not taken"}); {
		case err != nil:
			e.add(Finding{Check: "disk.kind", On: dir, Verdict: Fail, What: Text{EN: err.Error()}, Why: why,
				Cure: Text{"照上面说的做，再启动服务", "do what is said, then start the service again"}})
			continue
		case warning != "":
			e.add(Finding{Check: "disk.kind", On: dir, Verdict: Warn, What: Text{EN: dir + ": " + warning}, Why: why,
				Cure: Text{"把文件夹放到本机的 ext4 磁盘", "put the folder on a disk of this computer with ext4"}})
		default:
			e.good("disk.kind", dir, dir+" 在本机磁盘上", dir+" is on a disk of this computer")
		}
		if e.room(dir) {
			e.speed(ctx, dir)
		}
	}
}

// room reports whether something can be written.
func (e *exam) room(dir string) bool {
	r, err := e.p.Room(dir)
	if err != nil {
		e.unseen("disk.room", dir, err)
		return false
	}
	what := Text{fmt.Sprintf("%s 剩 %d MB（共 %d MB）", dir, r.Free>>20, r.Total>>20),
		fmt.Sprintf("%s has %d MB free of %d MB", dir, r.Free>>20, r.Total>>20)}
	cure := Text{"看谁占了: sudo du -xh --max-depth=2 / | sort -h | tail；journalctl --vacuum-size=200M；县中心可设 retention",
		"see who fills it: sudo du -xh --max-depth=2 / | sort -h | tail; journalctl --vacuum-size=200M; at the " +
			"county set " +
			"retention"}
	switch {
	case r.Free < noRoom:
		e.add(Finding{Check: "disk.room", On: dir, Verdict: Fail, What: what, Cure: cure,
			Why: Text{"存不下新记录", "no record can be stored"}})
	case r.Files > 0 && r.FreeFiles < fewFiles:
		e.add(Finding{Check: "disk.files", On: dir, Verdict: Fail,
			What: Text{fmt.Sprintf("%s 只能再放 %d 个文件", dir, r.FreeFiles), fmt.Sprintf("%s can hold %d more files only",
				dir,
				r.FreeFiles)},
			Why: Text{"有空间也建不了文件", "no file can be made although there is room"},
			Cure: Text{"找出小文件多的文件夹: sudo du --inodes -x / | sort -n | tail",
				"find them: sudo du --inodes -x / | sort -n | tail"}})
	case r.Free < littleRoom && r.Free < r.Total/5:
		e.add(Finding{Check: "disk.room", On: dir, Verdict: Warn, What: what, Cure: cure,
			Why: Text{"快满了", "it will be full soon"}})
	default:
		e.add(Finding{Check: "disk.room", On: dir, Verdict: OK, What: what})
	}
	return r.Free >= noRoom
}

func (e *exam) speed(ctx context.Context, dir string) {
	took, err := e.p.Sync(ctx, dir)
	if err != nil {
		e.add(Finding{Check: "disk.write", On: dir, Verdict: Fail, What: Text{EN: err.Error()},
			Why: Text{"什么也存不下", "nothing can be stored"},
			Cure: Text{fmt.Sprintf("看权限和挂载: ls -ld %s; findmnt -T %[1]s; dmesg | tail", dir),
				fmt.Sprintf("look at rights and mounts: ls -ld %s; findmnt -T %[1]s; dmesg | tail", dir)}})
		return
	}
	what := Text{fmt.Sprintf("%s 写盘一次 %s", dir, took.Round(time.Millisecond/10)),
		fmt.Sprintf("%s takes %s for a write with fsync", dir, took.Round(time.Millisecond/10))}
	f := Finding{Check: "disk.speed", On: dir, Verdict: OK, What: what}
	if took > slowSync {
		f.Verdict = Warn
		f.Why = Text{"记录落盘以后才发送，慢盘让一切变慢", "records are sent once they are on the disk: all waits for it"}
		f.Cure = Text{"看谁在写: sudo iotop -oa；换固态硬盘或好的存储卡",
			"see who writes: sudo iotop -oa; use an SSD or a better card"}
	}
	if took > stuckSync {
		f.Verdict = Fail
	}
	e.add(f)
}

func (e *exam) memory(context.Context) {
	free, all, err := e.p.Memory()
	if err != nil {
		e.unseen("memory", "", err)
		return
	}
	f := Finding{Check: "memory", Verdict: OK, What: Text{fmt.Sprintf("内存可用 %d MB（共 %d MB）", free>>20, all>>20),
		fmt.Sprintf("%d MB of %d MB of memory are available", free>>20, all>>20)}}
	if free < littleMemory {
		f.Verdict, f.Why = Warn, Text{"不够时系统会杀掉程序", "the system kills programs when there is none"}
		f.Cure = Text{"看谁占了: ps aux --sort=-rss | head", "see who uses it: ps aux --sort=-rss | head"}
	}
	if free < noMemory {
		f.Verdict = Fail
	}
	e.add(f)
}
