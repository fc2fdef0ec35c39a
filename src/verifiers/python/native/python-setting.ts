/** The environment in which a native Python starts: what it needs to find itself, the hash seed, and no keys of anybody. */

const needed = /^(PATH|HOME|LANG|LC_ALL|LD_LIBRARY_PATH|VIRTUAL_ENV|PYTHONHOME|(PYENV|CONDA)_\w+)$/u;

export function pythonSetting(
  environment: Readonly<Record<string, string | undefined>>,
  hashSeed: number,
): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && needed.test(name) ? [[name, value] as const] : [],
  );
  return { ...Object.fromEntries(kept), PYTHONHASHSEED: String(hashSeed), PYTHONUTF8: "1", TZ: "UTC" };
}
