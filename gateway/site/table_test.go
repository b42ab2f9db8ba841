package site

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const rows = `社区,网格,小区,门岗,户数,人数
东城社区,第一网格,丽景苑,gate-001,89,304
东城社区,第一网格,安泰里,gate-002,120,
东城社区,第一网格,安泰里,gate-003,,
西城社区,第一网格,"安泰里, 二期",,,
`

func TestATableBecomesACounty(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(rows)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"UTF-8": rows, "with a mark": "\ufeff" + rows, "GBK": gbk, "DOS": strings.ReplaceAll(rows, "\n", "\r\n"),
		"tabs": strings.ReplaceAll(strings.ReplaceAll(rows, "里, 二期", "里 二期"), ",", "\t"),
		"English": strings.Replace(rows, "社区,网格,小区,门岗,户数,人数",
			"Community,Grid,Compound,Gate,Households,Residents", 1),
	} {
		c, faults := Table("qinghe", "清和县", []byte(text))
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		if c.Gates() != 4 || len(c.Communities) != 2 || len(c.Compounds()) != 3 || c.ID != "qinghe" || c.Name != "清和县" {
			t.Errorf("%s: %+v", name, c)
		}
		community, grid, compound, ok := c.Place("gate-004")
		if !ok || community != "community-2" || grid != "grid-02" || compound != "compound-003" {
			t.Errorf("%s: gate-004 is at %s %s %s", name, community, grid, compound)
		}
		if one := c.Compounds()[1]; len(one.Gates) != 2 || one.Households != 120 {
			t.Errorf("%s: %+v", name, one)
		}
	}
}

func TestEachFaultOfATableHasItsLine(t *testing.T) {
	head := "社区,网格,小区,门岗,户数\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":        {"", "1 row "},
		"a header":       {head, "1 row "},
		"other columns":  {"社区,楼栋,小区\na,b,c\n", "1 column 楼栋; 1 missing 网格"},
		"a column twice": {"社区,网格,小区,社区\n", "1 twice 社区"},
		"rows": {head + "a,,c,Gate 1,x\n\n,b,c,gate-2,-1\n",
			"2 empty 网格; 2 number x; 2 id Gate 1; 4 empty 社区; 4 number -1"},
		"a gate twice":      {head + "a,b,c,gate-1,\na,b,d,gate-1,\n", "3 twice gate-1"},
		"the collector":     {head + "a,b,c,collector,\n", "2 id collector"},
		"a cell too many":   {head + "a,b,c,gate-1,1,zz\n", "2 row zz"},
		"an open quote":     {head + "a,\"b,c,gate-1,\n", "2 row "},
		"no text":           {"\x00\x01\x02", "1 text "},
		"all rows blank":    {head + ",,,,\n", "1 row "},
		"more than so many": {head + strings.Repeat("a,b,c,,\n", mostRows+1), fmt.Sprintf("%d row ", mostRows+2)},
	} {
		county, faults := Table("qinghe", "x", []byte(c.text))
		var got []string
		for _, f := range faults {
			got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Code, f.What))
			if f.Text == "" {
				t.Errorf("%s: nothing is said of %v", name, f)
			}
		}
		if strings.Join(got, "; ") != c.want || county != nil {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, "; "), c.want)
		}
	}
}
