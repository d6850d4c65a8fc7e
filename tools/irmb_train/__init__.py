"""Training of a YOLOv10 with iRMB blocks for street scenes."""
