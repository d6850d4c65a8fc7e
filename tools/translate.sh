#!/usr/bin/env bash
# Brings the translations up to date with the texts of the desktop app: new ones come untranslated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lupdate=$(command -v lupdate-qt6 lupdate6 /usr/lib/qt6/bin/lupdate | head -n 1 || true)
[[ $lupdate ]] || { echo "translate.sh: install qt6-l10n-tools" >&2; exit 1; }
folder=resources/translations
"$lupdate" ui -no-obsolete -locations none -ts $folder/vigil_zh_CN.ts
"$lupdate" ui -no-obsolete -locations none -pluralonly -ts $folder/vigil_en.ts
