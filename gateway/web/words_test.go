package web

import "testing"

func TestWordsOfBothLanguages(t *testing.T) {
	for lang, want := range map[string]string{"zh": "通行", "en": "pass"} {
		words, err := Words(lang)
		if err != nil || words["verdict.pass"] != want {
			t.Errorf("%s: %q, %v", lang, words["verdict.pass"], err)
		}
	}
	if _, err := Words("../words/en"); err == nil || err.Error() != `language "../words/en": use zh or en` {
		t.Errorf("another language: %v", err)
	}
}
