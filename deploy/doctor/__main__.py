"""Run the doctor: `python -m deploy.doctor`, or `rolecall doctor`."""

from deploy.doctor.run import main

if __name__ == "__main__":
    raise SystemExit(main())
