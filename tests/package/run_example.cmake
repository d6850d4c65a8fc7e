# cmake -D build_dir=... -D example_dir=... -D work_dir=... -D model=... -D generator=...
#     -D compiler=... -P run_example.cmake
# Installs build_dir into work_dir/prefix and builds and runs the example against that.

# run(COMMAND...): the command must succeed; its output is kept in `output`.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

# expect(REGEX): the last output must match.
function(expect regex)
    if(NOT output MATCHES "${regex}")
        message(FATAL_ERROR "'${regex}' not found in:\n${output}")
    endif()
endfunction()

# A picture of `size` pixels a side: bright bars on grey, as a plain text PPM.
function(write_picture file size)
    foreach(y RANGE 1 ${size})
        foreach(x RANGE 1 ${size})
            math(EXPR bar "(${x} / 8 + ${y} / 16) % 2 * 120 + 60")
            string(APPEND pixels "${bar} ${bar} 90\n")
        endforeach()
    endforeach()
    file(WRITE ${file} "P3\n${size} ${size}\n255\n${pixels}")
endfunction()

set(prefix ${work_dir}/prefix)
set(picture ${work_dir}/picture.ppm)
file(REMOVE_RECURSE ${work_dir})
write_picture(${picture} 64)

run(${CMAKE_COMMAND} --install ${build_dir} --prefix ${prefix})
run(${CMAKE_COMMAND} -G ${generator} -S ${example_dir} -B ${work_dir}/build
    -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${work_dir}/build)

run(${work_dir}/build/detect_image ${model} ${picture})
expect("class [0-9]+, score")

run(${prefix}/bin/vigil convert ${model} ${work_dir}/fused.onnx)
run(${work_dir}/build/plain_opencv ${work_dir}/fused.onnx ${picture})
expect("output of shape .?1 x 8 x 84")
