// Writes the CycloneDX SBOM of a program: what cyclonedx-gomod finds in its binary, and the
// packages in the screens; and compares it with the schema.
// usage: node sbom.mjs TOOLS BINARY VERSION OUTPUT
import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {basename, join} from 'node:path'
import {screens} from './licences.mjs'

const [tools, binary, version, output] = process.argv.slice(2)
const flags = ['bin', '-json', '-noserial', '-notimestamp', '-std', '-version', version, binary]
const bom = JSON.parse(execFileSync(join(tools, 'bin/cyclonedx-gomod'), flags, {encoding: 'utf8', maxBuffer: 1 << 26}))

for (const {name, version, integrity, licence} of screens()) {
	const [algorithm, sum] = integrity.split('-')
	const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
	bom.components.push({
		'bom-ref': purl,
		type: 'library',
		name,
		version,
		purl,
		licenses: [{license: {id: licence}}],
		hashes: [{alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(sum, 'base64').toString('hex')}],
	})
	bom.dependencies.find((d) => d.ref === bom.metadata.component['bom-ref'])?.dependsOn.push(purl)
}

const {Spec, Validation} = createRequire(join(tools, 'sbom/package.json'))('@cyclonedx/cyclonedx-library')
const text = JSON.stringify(bom, null, 2) + '\n'
const wrong = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)
if (wrong) {
	console.error(`${basename(output)} is no CycloneDX 1.6:`, wrong)
	process.exit(1)
}
writeFileSync(output, text)
