#!/bin/sh
# Copy the pinned browser libraries into hotline/static/vendor, each with its licence, in a folder named
# after its version (so that a browser may keep them for ever). Run after changing package.json or icons.txt.
# What only the tests use goes to tests/vendor: the product never serves it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
vendor="$root/hotline/static/vendor"
tested="$root/tests/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$root/package.json" "$root/package-lock.json" "$root/.npmrc" "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
version() { node -p "require('$work/node_modules/$1/package.json').version"; }

rm -rf "$vendor" "$tested"
htmx="$vendor/htmx-$(version htmx.org)"
bootstrap="$vendor/bootstrap-$(version bootstrap)"
icons="$vendor/bootstrap-icons-$(version bootstrap-icons)"
voice="$vendor/twilio-voice-$(version @twilio/voice-sdk)"
axe="$tested/axe-core-$(version axe-core)"
mkdir -p "$htmx" "$bootstrap" "$icons" "$voice" "$axe"

cp "$work/node_modules/htmx.org/dist/htmx.min.js" "$work/node_modules/htmx.org/LICENSE" "$htmx"
# without the source map line: browsers would ask for a file that is not shipped
sed '/sourceMappingURL=/d' "$work/node_modules/bootstrap/dist/css/bootstrap.min.css" > "$bootstrap/bootstrap.min.css"
cp "$work/node_modules/bootstrap/LICENSE" "$bootstrap"
cp "$work/node_modules/bootstrap-icons/LICENSE" "$icons"
cp "$work/node_modules/@twilio/voice-sdk/dist/twilio.min.js" "$voice"
cp "$work/node_modules/@twilio/voice-sdk/LICENSE.md" "$voice/LICENSE"
node - "$work/node_modules/bootstrap-icons/icons" "$root/scripts/icons.txt" > "$icons/sprite.svg" <<'NODE'
const fs = require("fs");
const [folder, list] = process.argv.slice(2);
const symbols = fs.readFileSync(list, "utf8").split("\n").filter(Boolean).map((name) => {
  const svg = fs.readFileSync(`${folder}/${name}.svg`, "utf8");
  const inner = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 16 16">${inner}</symbol>`;
});
console.log(`<svg xmlns="http://www.w3.org/2000/svg" fill="currentColor">\n${symbols.join("\n")}\n</svg>`);
NODE
cp "$work/node_modules/axe-core/axe.min.js" "$work/node_modules/axe-core/LICENSE" \
  "$work/node_modules/axe-core/LICENSE-3RD-PARTY.txt" "$axe"
echo "vendored: $(cd "$vendor" && ls | tr '\n' ' ') for tests: $(ls "$tested" | tr '\n' ' ')"
