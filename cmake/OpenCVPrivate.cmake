# The CUDA layer is compiled with private headers of OpenCV's dnn module: those of exactly the version
# in use. Sets IRMB_OPENCV_PRIVATE_DIR to their folder, or to nothing where there are none.
set(IRMB_OPENCV_SOURCE "" CACHE PATH
    "Sources of the OpenCV in use, for the CUDA layer; empty: those that tools/get_opencv.sh kept")

function(require_opencv_version source)
    set(header ${source}/modules/core/include/opencv2/core/version.hpp)
    foreach(file ${header} ${source}/modules/dnn/src/op_cuda.hpp)
        if(NOT EXISTS ${file})
            message(FATAL_ERROR "IRMB_OPENCV_SOURCE: ${file} is not there. Name the sources of "
                "OpenCV ${OpenCV_VERSION}, or leave the option empty.")
        endif()
    endforeach()
    set(version "")
    foreach(part MAJOR MINOR REVISION)
        file(STRINGS ${header} line REGEX "#define CV_VERSION_${part} ")
        string(REGEX MATCH "[0-9]+$" number "${line}")
        list(APPEND version ${number})
    endforeach()
    list(JOIN version . version)
    if(NOT version STREQUAL OpenCV_VERSION)
        message(FATAL_ERROR "IRMB_OPENCV_SOURCE: ${source} is OpenCV ${version}, but "
            "${OpenCV_VERSION} is in use. Name its sources, or leave the option empty.")
    endif()
endfunction()

set(source ${IRMB_OPENCV_SOURCE})
if(NOT source AND EXISTS ${OpenCV_INSTALL_PATH}/share/vigil/opencv)
    set(source ${OpenCV_INSTALL_PATH}/share/vigil/opencv)
endif()
set(IRMB_OPENCV_PRIVATE_DIR "")
if(source)
    require_opencv_version(${source})
    set(IRMB_OPENCV_PRIVATE_DIR ${source}/modules/dnn/src)
    find_package(CUDAToolkit REQUIRED)
    find_path(IRMB_CUDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
endif()
