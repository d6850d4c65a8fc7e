# Whether, with which nvcc and for which GPUs the CUDA kernels are built. Sets VIGIL_HAS_CUDA.
set(VIGIL_CUDA AUTO CACHE STRING
    "CUDA kernels: ON, OFF, or AUTO, where nvcc is found and OpenCV was built with CUDA")
set_property(CACHE VIGIL_CUDA PROPERTY STRINGS AUTO ON OFF)

set(VIGIL_HAS_CUDA FALSE)
if(VIGIL_CUDA STREQUAL "AUTO")
    set(cuda_wanted ${OpenCV_CUDA_VERSION})
else()
    set(cuda_wanted ${VIGIL_CUDA})
endif()
if(NOT cuda_wanted)
    return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
    find_program(VIGIL_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda
        PATH_SUFFIXES bin)
    if(NOT VIGIL_NVCC)
        if(VIGIL_CUDA STREQUAL "AUTO")
            message(STATUS "CUDA kernels: not built, nvcc was not found")
            return()
        endif()
        message(FATAL_ERROR "VIGIL_CUDA=${VIGIL_CUDA}, but nvcc was not found. Install the CUDA "
            "toolkit, or set CMAKE_CUDA_COMPILER, or configure with -DVIGIL_CUDA=OFF.")
    endif()
    set(CMAKE_CUDA_COMPILER ${VIGIL_NVCC})
endif()

# This machine's GPU; where there is none, those that are in use, and PTX for what comes later.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    if(EXISTS /proc/driver/nvidia/gpus OR EXISTS /dev/dxg)
        set(CMAKE_CUDA_ARCHITECTURES native)
    else()
        execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-arch OUTPUT_VARIABLE known)
        foreach(architecture 75 80 86 89 90 100)
            if(known MATCHES "compute_${architecture}\n")
                list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture}-real)
                set(newest ${architecture})
            endif()
        endforeach()
        list(APPEND CMAKE_CUDA_ARCHITECTURES ${newest}-virtual)
    endif()
endif()
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
# The same runtime as OpenCV's, so that there is one in the process.
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
set(VIGIL_HAS_CUDA TRUE)
message(STATUS
    "CUDA kernels: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, GPUs ${CMAKE_CUDA_ARCHITECTURES}")
