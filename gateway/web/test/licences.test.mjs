// make lint refuses parts under licences that ask for more than their text beside a binary.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, licencesOf, screens } from "../../../deploy/supply/licences.mjs";

const mit = "Permission is hereby granted, free of charge, to any person obtaining a copy";

test("licences that are not allowed, and parts without one, are found", () => {
  for (const [texts, good] of [
    [[mit], true],
    [["Apache License\n    Version 2.0, January 2004"], true],
    [["GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007"], false],
    [["GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1"], false],
    [["GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3"], false],
    [["You may copy it under the terms of the GNU General Public License"], false],
    [[mit, "Mozilla Public License Version 2.0"], false],
    [["All rights reserved."], false],
    [[], false],
  ]) {
    assert.equal(judge({ name: "x", texts }) === "", good, String(texts));
  }
  assert.equal(judge({ name: "github.com/eclipse/paho.mqtt.golang", texts: ["Eclipse Public License - v 2.0"] }), "");
});

test("a BSD licence of three clauses is no other one", () => {
  const text =
    "Redistribution and use in source and binary forms. Redistributions of source code must retain. Neither the name";
  assert.deepEqual(licencesOf(text), ["BSD-3-Clause"]);
});

test("the packages in the screens are known", () => {
  assert.deepEqual(
    screens().map((p) => p.name),
    ["@preact/signals", "@preact/signals-core", "preact"],
  );
});
