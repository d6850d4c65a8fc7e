# Finds OpenCV and refuses versions that cannot run YOLOv10-iRMB.
find_package(OpenCV QUIET COMPONENTS core imgproc dnn)
if(NOT OpenCV_FOUND)
    message(FATAL_ERROR "OpenCV with core, imgproc and dnn was not found. Build it with "
        "tools/get_opencv.sh and configure with -DOpenCV_DIR=<the folder that it prints>.")
endif()
if(OpenCV_VERSION VERSION_LESS 4.10)
    message(FATAL_ERROR "OpenCV ${OpenCV_VERSION} in ${OpenCV_DIR} is too old: it cannot import "
        "YOLOv10 and miscomputes MatMul followed by Mul. Build a newer one with "
        "tools/get_opencv.sh and configure with -DOpenCV_DIR=<the folder that it prints>.")
endif()
message(STATUS "OpenCV ${OpenCV_VERSION} in ${OpenCV_DIR}")
