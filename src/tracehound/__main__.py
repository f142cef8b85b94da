"""`python -m tracehound` is the command `tracehound`."""

from tracehound.cli.main import main

if __name__ == "__main__":
    main()
