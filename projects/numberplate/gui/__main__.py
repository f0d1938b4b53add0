"""A window that detects and reads number plates: photos, folders, videos, the webcam.

python -m projects.numberplate.gui
python -m projects.numberplate.gui car.jpg FOLDER --engine tesseract --country de
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)
