"""Downloads the source distribution of one Python package: fetch_sdist.py NAME==VERSION FILE.

Only downloads, through pip and as pip is configured on this machine (index, proxy, certificates);
`pip download` would run the package's build system as well. Verify the checksum afterwards.
"""

import sys

from pip._internal.commands import create_command


def find_link(command, session, options, requirement):
    name, version = requirement.split("==")
    finder = command._build_package_finder(options, session)
    for candidate in finder.find_all_candidates(name):
        if str(candidate.version) == version and not candidate.link.is_wheel:
            return candidate.link.url_without_fragment
    sys.exit(
        f"fetch_sdist: pip found no source distribution of {requirement}; "
        f"`python3 -m pip index versions {name}` tells whether it reaches the index"
    )


def save(response, path):
    response.raise_for_status()
    total = int(response.headers.get("Content-Length", 0))
    done = 0
    with open(path, "wb") as file:
        for chunk in response.iter_content(1 << 20):
            file.write(chunk)
            done += len(chunk)
            if sys.stderr.isatty():
                print(f"\r{done >> 20} of {total >> 20} MB ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def main():
    requirement, path = sys.argv[1:]
    command = create_command("download")
    options, _ = command.parse_args(["--no-binary", ":all:", requirement])
    with command.main_context():
        session = command.get_default_session(options)
        url = find_link(command, session, options, requirement)
        save(session.get(url, stream=True, headers={"Accept-Encoding": "identity"}), path)


if __name__ == "__main__":
    main()
