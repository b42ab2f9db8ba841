// Changes the code one operator at a time (gremlins) and reports which changes no test
// notices. Called by `make mutate`:
//
//	node deploy/mutate.mjs GREMLINS ./PACKAGE...
//
// It fails when of a package's changes fewer are noticed than least says, or fewer stand in
// lines that a test runs. Changes that are left on purpose stand in deploy/mutants.txt and do
// not count.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

// least is how many percent must be noticed, and stand in lines that a test runs: of the
// packages that decide who passes, and of all others.
const least = { decides: 95, other: 90 }
const decides = ['gate', 'policy', 'policy/engine', 'episode', 'baseline'].map((name) => `./gateway/${name}`)
const [gremlins, ...packages] = process.argv.slice(2)
// Tests must notice a change, not vet, which takes as long as the tests of a small package.
const env = { ...process.env, GOFLAGS: `${process.env.GOFLAGS ?? ''} -vet=off`.trim() }
const words = { LIVED: 'alive', 'NOT COVERED': 'no test', 'TIMED OUT': 'time-out' }

// leftOnPurpose reads the list: a line "FILE OPERATOR", the text of the line of code,
// and the reason, each entry ended by an empty line.
function leftOnPurpose() {
  const text = readFileSync('deploy/mutants.txt', 'utf8').replace(/^#.*\n/gm, '')
  return text.split(/\n\s*\n/).map((entry) => entry.trim().split('\n')).filter(([head]) => head).map((lines) => {
    const [file, operator] = lines[0].split(/\s+/)
    if (lines.length < 3 || !operator) throw new Error(`deploy/mutants.txt: no reason at: ${lines[0]}`)
    return { file, operator, code: lines[1].trim(), used: false }
  })
}

// copy copies the module without tools and built files, which gremlins would copy again.
function copy() {
  const root = mkdtempSync(join(tmpdir(), 'mutate-'))
  const list = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { maxBuffer: 1 << 26 })
  for (const file of list.toString().split('\0').filter((f) => f && existsSync(f))) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    cpSync(file, join(root, file))
  }
  return root
}

// Go counts no runs of constants and of the conditions of cases, so that gremlins does
// not try changes there. again tries such a change, and returns what became of it.
const changes = {
  CONDITIONALS_BOUNDARY: { '<': '<=', '<=': '<', '>': '>=', '>=': '>' },
  CONDITIONALS_NEGATION: { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' },
  ARITHMETIC_BASE: { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' },
  INVERT_NEGATIVES: { '-': '+' },
}

function uncounted(code, line) {
  const before = code.slice(0, line)
  const inFunc = before.findLastIndex((l) => l.startsWith('func ')) > before.findLastIndex((l) => l.startsWith('}'))
  if (!inFunc || code[line - 1].includes('func(')) return true
  const from = before.findLastIndex((l) => l.trim().startsWith('case '))
  return from >= 0 && !before.slice(from, -1).some((l) => l.endsWith(':'))
}

function again(root, pkg, file, code, { type, line, column }) {
  const text = code[line - 1]
  const bytes = Buffer.from(text).subarray(0, column - 1).toString() // columns count bytes
  const operator = Object.keys(changes[type] ?? {}).sort((a, b) => b.length - a.length)
    .find((o) => text.startsWith(o, bytes.length))
  if (!operator) return 'NOT COVERED'
  const changed = bytes + changes[type][operator] + text.slice(bytes.length + operator.length)
  const path = join(root, file)
  writeFileSync(path, code.with(line - 1, changed).join('\n'))
  try {
    execFileSync('go', ['test', '-timeout', '60s', pkg], { cwd: root, env, stdio: 'ignore' })
    return 'LIVED'
  } catch {
    return 'KILLED'
  } finally {
    writeFileSync(path, code.join('\n'))
  }
}

function mutate(root, pkg, left) {
  const report = join(root, '.mutants.json')
  rmSync(report, { force: true })
  const args = ['unleash', pkg, '--workers', '1', '--timeout-coefficient', '5', '--silent', '--output', report]
  execFileSync(gremlins, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  if (!existsSync(report)) throw new Error(`${pkg}: gremlins found nothing to change`)
  const count = { KILLED: 0, LIVED: 0, 'NOT COVERED': 0, 'TIMED OUT': 0 }
  const found = []
  for (const { file_name: name, mutations } of JSON.parse(readFileSync(report)).files ?? []) {
    const file = existsSync(name) ? name : join(pkg, name).replace(/^\.\//, '')
    if (dirname(file) !== join(pkg)) continue // of a folder below, which is measured by itself
    const code = readFileSync(file, 'utf8').split('\n')
    for (const mutation of mutations) {
      const { type, line, column } = mutation
      let { status } = mutation
      if (status === 'NOT COVERED' && uncounted(code, line)) status = again(root, pkg, file, code, mutation)
      const text = code[line - 1].trim()
      const entry = left.find((l) => l.file === file && l.operator === type && l.code === text)
      if (entry && status !== 'KILLED') {
        entry.used = true
        continue
      }
      count[status]++
      if (words[status]) found.push(`  ${words[status].padEnd(8)} ${file}:${line}:${column} ${type}\n           ${text}`)
    }
  }
  const percent = (part, of) => (of ? (100 * part) / of : 100)
  const ran = count.KILLED + count.LIVED
  const efficacy = percent(count.KILLED, ran)
  const coverage = percent(ran, ran + count['NOT COVERED'])
  const wanted = decides.includes(pkg) ? least.decides : least.other
  const good = efficacy >= wanted && coverage >= wanted
  console.log(`${good ? 'ok  ' : 'FAIL'} ${pkg}  at least ${wanted} %: ` +
    `efficacy ${efficacy.toFixed(1)} %, coverage ${coverage.toFixed(1)} %  ` +
    `(${count.KILLED} noticed, ${count.LIVED} alive, ${count['NOT COVERED']} in no test, ${count['TIMED OUT']} too slow)`)
  if (found.length) console.log(found.join('\n'))
  return good
}

const left = leftOnPurpose()
const root = copy()
try {
  const bad = packages.filter((pkg) => !mutate(root, pkg, left))
  const under = (file) => packages.some((pkg) => file.startsWith(pkg.replace(/^\.\//, '') + '/'))
  for (const l of left.filter((l) => !l.used && under(l.file))) {
    console.log(`deploy/mutants.txt: ${l.file} ${l.operator} is noticed or gone: remove it (${l.code})`)
  }
  if (bad.length) {
    console.log(`below what is asked: ${bad.join(' ')}`)
    process.exitCode = 1
  }
} finally {
  rmSync(root, { recursive: true, force: true })
}
