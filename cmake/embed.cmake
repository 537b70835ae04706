# Writes cl/*.cl into one C file, the table that device/sources.h declares.
#
#   cmake -D FOLDER=cl -D OUT=kernels.c -P embed.cmake
#
# A kernel's name is its file's name without ".cl". A line `#include "x.h"` is replaced by the file of that name in
# FOLDER, the first time; #line marks keep the compiler's messages pointing at the file that was written by hand.
# builtins.h is an entry of its own.
cmake_minimum_required(VERSION 3.21)

# Sets VAR in the caller to FILE with its includes resolved. SEEN, a global property, lists what was included.
function(resolve file var)
    file(READ ${FOLDER}/${file} rest)
    set(done "#line 1 \"${file}\"\n")
    set(line 1)
    while(rest MATCHES "(^|\n)[ \t]*#[ \t]*include[ \t]+\"([^\"\n]+)\"[^\n]*")
        set(match "${CMAKE_MATCH_0}")
        set(lead "${CMAKE_MATCH_1}")
        set(wanted "${CMAKE_MATCH_2}")
        string(FIND "${rest}" "${match}" at)
        string(LENGTH "${match}" length)
        string(SUBSTRING "${rest}" 0 ${at} before)
        math(EXPR at "${at} + ${length}")
        string(SUBSTRING "${rest}" ${at} -1 rest)

        string(REGEX MATCHALL "\n" newlines "${before}${lead}")
        list(LENGTH newlines newlines)
        math(EXPR line "${line} + ${newlines}")

        if(NOT EXISTS ${FOLDER}/${wanted})
            message(FATAL_ERROR "${file}:${line}: includes \"${wanted}\", which is not in ${FOLDER}")
        endif()
        get_property(seen GLOBAL PROPERTY SEEN)
        set(text)
        if(NOT wanted IN_LIST seen)
            set_property(GLOBAL APPEND PROPERTY SEEN ${wanted})
            resolve(${wanted} text)
        endif()
        math(EXPR next "${line} + 1")
        string(APPEND done "${before}${lead}${text}")
        if(rest MATCHES "^\n")
            string(SUBSTRING "${rest}" 1 -1 rest)
            string(APPEND done "#line ${next} \"${file}\"\n")
        endif()
        set(line ${next})
    endwhile()
    string(APPEND done "${rest}")
    if(NOT done MATCHES "\n$")
        string(APPEND done "\n")
    endif()
    set(${var} "${done}" PARENT_SCOPE)
endfunction()

# Sets VAR to FILE, its includes resolved, as a C string that goes over lines.
function(quote file var)
    set_property(GLOBAL PROPERTY SEEN ${file})
    resolve(${file} source)
    if(source MATCHES "[^\t\n -~]")
        message(FATAL_ERROR "${FOLDER}/${file}: has a character that is not ASCII")
    endif()
    string(REPLACE "\\" "\\\\" source "${source}")
    string(REPLACE "\"" "\\\"" source "${source}")
    string(REPLACE "\n" "\\n\"\n      \"" source "${source}")
    string(REGEX REPLACE "\n      \"$" "" source "${source}")
    set(${var} "\"${source}" PARENT_SCOPE)
endfunction()

set(table)
quote(builtins.h builtins)
file(GLOB kernels RELATIVE ${FOLDER} ${FOLDER}/*.cl)
list(SORT kernels)
foreach(kernel IN LISTS kernels)
    quote(${kernel} source)
    string(REGEX REPLACE "\\.cl$" "" name ${kernel})
    string(APPEND table "    { \"${name}\",\n      ${source} },\n")
endforeach()

file(WRITE ${OUT} "/* Made by cmake/embed.cmake from the kernels in cl/. */
#include \"device/sources.h\"

const char strata_kernel_builtins[] =
      ${builtins};

const struct strata_kernel_source strata_kernel_sources[] = {
${table}    { 0 },
};
")
