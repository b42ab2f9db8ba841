// Says under which licences that stands of which the programs are made, beside our own code:
// Go's library, the linked modules, the packages in the screens, and the font of small displays.
//
//   node licences.mjs check             fails where a licence is none of those allowed
//   node licences.mjs notices PACKAGE   prints the texts, for ./gateway or ./simulator
import {execFileSync} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')
const web = join(top, 'gateway/web')

// targets are those of make dist.
export const targets = [
	{GOOS: 'linux', GOARCH: 'amd64'},
	{GOOS: 'linux', GOARCH: 'arm64'},
	{GOOS: 'linux', GOARCH: 'arm', GOARM: '7'},
]

// allowed licences ask for their text beside a binary and nothing else.
const allowed = [
	'Apache-2.0',
	'MIT',
	'BSD-3-Clause',
	'BSD-2-Clause',
	'ISC',
	'0BSD',
	'CC0-1.0',
	'Unlicense',
	'OFL-1.1',
]

// chosen names other licences whose texts lie in a part's folders, and why that is right.
const chosen = {
	'github.com/eclipse/paho.mqtt.golang': ['EDL-1.0', 'EPL-2.0'], // either one; the EDL is BSD-3-Clause
	'modernc.org/sqlite': ['MPL-2.0'], // of a library of its tools, which is not linked
}

const marks = [
	[
		'GPL',
		/(GNU (LESSER |LIBRARY |AFFERO )?GENERAL PUBLIC LICENSE Version \d|terms of the GNU [a-z ]*General Public License)/i,
	],
	['EPL-2.0', /Eclipse Public License/i],
	['EDL-1.0', /Eclipse Distribution License/i],
	['MPL-2.0', /Mozilla Public License/i],
	['OFL-1.1', /SIL OPEN FONT LICENSE Version 1\.1/i],
	['Apache-2.0', /Apache License\s+Version 2\.0/i],
	['MIT', /Permission is hereby granted, free of charge, to any person obtaining a copy/],
	[
		'BSD-3-Clause',
		/Redistributions? (and use )?(of|in) source[^]*(Neither the name|name of [^]{1,80} may not be used)/i,
	],
	['BSD-2-Clause', /Redistributions? of source code must retain/i],
	['ISC', /Permission to use, copy, modify, and(\/or)? distribute this software for any\s+purpose with or/i],
	['Unlicense', /This is free and unencumbered software released into the public domain/],
	['CC0-1.0', /CC0 1\.0 Universal/],
]

// licencesOf returns the licences whose texts are in a text.
export function licencesOf(text) {
	const plain = text.replace(/\s+/g, ' ')
	const found = marks.filter(([, mark]) => mark.test(plain)).map(([name]) => name)
	return found.includes('BSD-3-Clause') ? found.filter((n) => n !== 'BSD-2-Clause') : found
}

const isText = (name) =>
	/^(licen[cs]e|copying|notice|unlicense|edl-v10|epl-v20|ofl)([-._].*)?$/i.test(name) && !/\.go$/.test(name)

// texts returns the texts of licences in a folder.
function texts(dir) {
	const names = readdirSync(dir).filter((name) => isText(name) && statSync(join(dir, name)).isFile())
	return names.sort().map((name) => readFileSync(join(dir, name), 'utf8'))
}

const go = (args, env = {}) =>
	execFileSync('go', args, {
		cwd: top,
		encoding: 'utf8',
		maxBuffer: 1 << 26,
		env: {...process.env, CGO_ENABLED: '0', ...env},
	})

// modules returns what a program is made of, with all texts from the folders of the linked
// packages up to those of their modules.
function modules(program) {
	const found = new Map()
	for (const target of targets) {
		const format =
			'{{if not .Standard}}{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}{{end}}'
		for (const line of go(['list', '-deps', '-f', format, program], target).split('\n').filter(Boolean)) {
			const [name, version, root, dir] = line.split('\t')
			if (!found.has(name)) found.set(name, {name, version, dirs: new Set()})
			for (let at = dir; ; at = dirname(at)) {
				found.get(name).dirs.add(at)
				if (at === root || relative(root, at).startsWith('..')) break
			}
		}
	}
	return [...found.values()].map(({name, version, dirs}) => ({name, version, texts: [...dirs].sort().flatMap(texts)}))
}

// screens returns the packages that are in the bundle of the screens.
export function screens() {
	const lock = JSON.parse(readFileSync(join(web, 'package-lock.json'), 'utf8'))
	const linked = Object.entries(lock.packages).filter(([path, p]) => path && !p.dev && !p.devOptional && !p.peer)
	return linked.map(([path, p]) => ({
		name: path.replace(/^.*node_modules\//, ''),
		version: p.version,
		integrity: p.integrity,
		licence: p.license,
		texts: existsSync(join(web, path)) ? texts(join(web, path)) : [],
	}))
}

// everything returns all that a program is made of.
function everything(program) {
	const root = go(['env', 'GOROOT']).trim()
	const own = [
		{
			name: 'The Go standard library',
			version: go(['env', 'GOVERSION']).trim(),
			texts: texts(existsSync(join(root, 'LICENSE')) ? root : dirname(root)),
		},
	]
	if (program === './gateway') {
		own.push({
			name: 'GNU Unifont (the font of small displays)',
			version: '',
			texts: texts(join(top, 'gateway/edge/panel/font')),
		})
	}
	return [...own, ...modules(program), ...screens()]
}

// judge returns what is wrong with the licences of a part; empty: nothing.
export function judge(part) {
	const found = [...new Set(part.texts.flatMap(licencesOf))]
	if (part.texts.length === 0 || found.length === 0) return `${part.name}: no text of a licence that is known`
	const bad = found.filter((name) => !allowed.includes(name) && !(chosen[part.name] ?? []).includes(name))
	return bad.length ? `${part.name}: ${bad.join(', ')} is not allowed` : ''
}

function check() {
	const parts = new Map(['./gateway', './simulator'].flatMap(everything).map((p) => [p.name, p]))
	const wrong = [...parts.values()].map(judge).filter(Boolean)
	wrong.forEach((w) => console.error(`licences: ${w}`))
	if (wrong.length) {
		console.error('licences: use something else, or, when a lawyer agrees, add it in deploy/supply/licences.mjs')
		process.exit(1)
	}
	console.log(`licences: ${parts.size} parts, all under ${allowed.join(', ')}`)
}

function notices(program) {
	const by = new Map() // a text → what stands under it
	for (const p of everything(program)) {
		for (const text of new Set(p.texts.map((t) => t.replace(/\r\n/g, '\n').trim()))) {
			by.set(text, [...(by.get(text) ?? []), `${p.name} ${p.version}`.trim()])
		}
	}
	console.log('What this program is made of besides its own code, with the texts of their licences.\n')
	for (const [text, names] of by) console.log(`${'='.repeat(78)}\n${names.join('\n')}\n${'-'.repeat(78)}\n${text}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	if (process.argv[2] === 'notices') notices(process.argv[3])
	else check()
}
