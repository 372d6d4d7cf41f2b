import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const FOLDER = new URL('../../examples/single-page-app/', import.meta.url);
const FILES = { '/': ['index.html', 'text/html'], '/app.js': ['app.js', 'text/javascript'] };

/** The single-page app as any static host serves it, with this configuration instead of the file's. */
export async function servePage(port, config) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/config.json') {
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(config));
    }
    if (!Object.hasOwn(FILES, pathname)) return void response.writeHead(404).end();
    const [file, type] = FILES[pathname];
    return void response
      .writeHead(200, { 'content-type': `${type}; charset=utf-8` })
      .end(readFileSync(new URL(file, FOLDER)));
  });
  // As the service does on `localhost`: browsers may prefer ::1, containers often have none.
  await new Promise((resolve) => {
    server.listen(port, 'localhost', resolve);
  });
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
