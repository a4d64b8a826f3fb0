/** What agents type when they work on a project: 200 commands, no two alike. */
export const SHELL_COMMANDS: readonly string[] = String.raw`
git status --short
git status
git diff
git diff --stat
git diff HEAD~1 -- src/engine/run.ts
git log --oneline -20
git log -p -3 -- src/store
git show HEAD --stat
git show 4f2a9c1:src/index.ts
git branch --list
git blame -L 10,40 src/cli/main.ts
git add -A
git add src/engine/queue.ts test/engine/queue.test.ts
git commit -m 'Keep the order of retries'
git commit -am "fix: handle empty input (closes #42)"
git checkout -b fix/empty-input
git push origin HEAD
git rev-parse --show-toplevel
git ls-files '*.ts' | wc -l
git status --short && git diff --stat
git fetch origin main
git merge-base HEAD origin/main
git log --since='2 weeks ago' --author=anna --format='%h %s'
git diff --name-only origin/main...HEAD
ls
ls -la
ls -la src/
ls src test docs
ls -t logs/*.log | head -1
pwd && ls
cd src && ls
cd packages/core && npm test
cat package.json
cat src/index.ts
cat src/engine/run.ts | head -120
cat -n src/engine/run.ts | sed -n '80,140p'
cat .github/workflows/ci.yml
cat a.txt b.txt > all.txt
cat README.md | grep -i install
cat package.json | jq '.scripts'
cat <<'END' > notes.md
# Notes
- one
END
head -n 40 src/store/writer.ts
tail -n 100 logs/app.log
tail -n +20 CHANGELOG.md | head -n 30
sed -n '1,80p' src/cli/main.ts
sed -n 10,20p test/run.test.ts
sed -i 's/foo/bar/g' src/a.ts
sed -e 's/^/  /' notes.txt
wc -l src/*.ts
wc -c dist/index.js
grep -rn "TODO" src
grep -rn 'createServer' src --include='*.ts'
grep -n "export function" src/engine/run.ts
grep -c error logs/app.log
grep -rl "useState" src/components | sort
grep -E '^(import|export)' src/index.ts
grep -v '^#' config.ini | sort -u
rg -n "class Writer" src
rg 'retry\w+' src test -l
find . -name '*.test.ts'
find src -type f -name '*.ts' | head -50
find . -maxdepth 2 -type d
find . -name node_modules -prune -o -name '*.js' -print
find src -name '*.ts' -newer package.json
find . -type f -size +1M
find src -name '*.snap' -exec wc -l {} +
find . -name '*.orig' -delete
find test -name '*.ts' | xargs grep -l skip
npm test
npm run build
npm run lint -- --fix
npm ci
npm install --save-dev vitest
npm ls --depth=0
npm run -s types && npm run -s lint
npm view react version
npx tsc --noEmit
npx vitest run src/engine
npx eslint src --ext .ts
yarn install --frozen-lockfile
pnpm -r build
pnpm add -D typescript
node --version
node scripts/build.mjs
node --test test/run.test.ts
node -e 'console.log(process.version)'
node -p "require('./package.json').version"
tsc -p tsconfig.json
python3 --version
python3 -m pytest -q
python3 -m pytest tests/test_api.py -k 'empty' -x
python3 -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt
python3 scripts/report.py --year 2024 --out report.csv
python3 -c "import json; print(json.load(open('a.json'))['x'])"
pytest -q tests
pip install requests
pip list | grep -i django
ruff check src
mypy src
black --check .
uv run pytest
go build ./...
go test ./... -run TestQueue
go vet ./...
go mod tidy
cargo build --release
cargo test --workspace
cargo clippy -- -D warnings
make
make test
make -j4 build
make clean all
cmake -S . -B build && cmake --build build
./gradlew test
gcc -O2 -o prog main.c
docker ps
docker build -t app:dev .
docker compose up -d
docker compose logs --tail=50 web
docker run --rm -v "$PWD":/src app:dev npm test
kubectl get pods -n staging
kubectl logs deploy/web --tail=20
aws s3 ls
curl -s https://example.com/api/health
curl -fsS -H 'Accept: application/json' https://example.com/v1/items | jq .
curl -X POST -d '{"a":1}' http://localhost:3000/items
curl -I https://example.com
wget -q https://example.com/data.csv
mkdir -p src/new/deep
mkdir build && cd build && cmake ..
touch src/new/index.ts
cp -r templates/basic new-app
cp .env.example .env
mv src/old.ts src/new.ts
mv dist/*.js out/
rm -rf dist
rm -f tmp/a.txt tmp/b.txt
rm -rf node_modules package-lock.json && npm install
ln -s ../shared lib
chmod +x scripts/run.sh
du -sh *
du -sh node_modules | cut -f1
ps aux | grep node
which node npm python3
env | grep -i proxy
echo $PATH
echo "done"
echo 'export const a = 1;' > src/a.ts
echo "line" >> notes.txt
printf '%s\n' one two three | sort -r
date +%Y-%m-%d
date -u
whoami
uname -a
sleep 2 && curl -s localhost:3000
test -f package.json && echo yes || echo no
[ -d dist ] || mkdir dist
[ -n "$CI" ] && echo ci
if [ -f .env ]; then cat .env.example; else echo none; fi
for f in src/*.ts; do wc -l "$f"; done
for i in 1 2 3; do echo $i; done
while read -r line; do echo "$line"; done < names.txt
x=$(git rev-parse HEAD); echo "$x"
VERSION=$(node -p "require('./package.json').version") && echo $VERSION
NODE_ENV=test npm test
CI=1 npx playwright test
DEBUG=app:* node server.js &
timeout 60 npm test
time npm run build
nohup node server.js > server.log 2>&1 &
(cd packages/a && npm run build)
npm test 2>&1 | tail -50
npm run build > build.log 2>&1 || tail -20 build.log
diff -u old.txt new.txt
diff -r src src.bak | head
sort names.txt | uniq -c | sort -rn | head -10
cut -d, -f2 data.csv | sort -u
awk -F, '{print $1}' data.csv
awk 'NR>1 {sum+=$3} END {print sum}' data.csv
tr -d '\r' < in.txt > out.txt
jq -r '.items[].name' data.json
jq '.dependencies | keys' package.json
xargs -n1 echo < list.txt
tar -czf out.tgz dist
tar -xzf pkg.tgz -C vendor
zip -r out.zip dist
unzip -l pkg.zip
sha256sum dist/*.js
psql -c 'select count(*) from users'
sqlite3 app.db '.schema'
redis-cli ping
ssh deploy@example.com 'systemctl status app'
sudo systemctl restart nginx
bash scripts/run.sh
bash -c 'npm test && npm run build'
sh -c "cat a | wc -l"
tree -L 2 src
stat package.json
basename src/engine/run.ts .ts
nl -ba src/a.ts | head -30
`
  .trim()
  // A here-document is one command.
  .replace(/(<<'END'[\s\S]*?\n)END\n/, (text) => text.replaceAll('\n', '\0').replace(/\0$/, '\n'))
  .split('\n')
  .map((line) => line.replaceAll('\0', '\n'));
