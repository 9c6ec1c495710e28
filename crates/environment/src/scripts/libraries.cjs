// Loads the JavaScript libraries that an environment promises. Arguments: the directory they lie in, and their names.

const { createRequire } = require('node:module')
const { pathToFileURL } = require('node:url')

const [place, ...names] = process.argv.slice(1)
const from = createRequire(`${place}/from.js`)
const check = async () => {
  for (const name of names) {
    if (from(name) == null) throw new Error(`${name} exports nothing`)
    await import(pathToFileURL(from.resolve(name)))
  }
  // Each runs its own program: are they those of this machine?
  const { code } = from('esbuild').transformSync('let one: number = 1', { loader: 'ts' })
  if (code !== 'let one = 1;\n') throw new Error(`esbuild made ${code}`)
}
check()
