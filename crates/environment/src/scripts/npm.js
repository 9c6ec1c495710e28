// What npm's programs begin with in an environment. Every cell has the environment's libraries in `/node_modules`, and npm takes the
// nearest directory with a `node_modules` for the project: without this it would install into a cell's root wherever nothing else is.
{
  const files = require('node:fs/promises')
  const stat = files.stat
  const absent = () => Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' })
  files.stat = async (path, ...rest) => {
    if (path === '/node_modules') throw absent()
    return stat(path, ...rest)
  }
}
